"""Writes Fixtures/bert-tokenizer-goldens.json: what Hugging Face's tokenizer makes of many texts.

Run with transformers 5.23.0 and tokenizers 0.23.3 (Python 3.11 or later): python make_tokenizer_goldens.py
"""

import json
import random
import tempfile
import unicodedata
from pathlib import Path

import tokenizers
import transformers

FIXTURES = Path(__file__).parent / "Fixtures"
# The tokenizer_config.json of each tokenizer.
SETTINGS = {
    "uncased": {},
    "cased": {"do_lower_case": False},
    "accented": {"do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False},
    "stripped": {"do_lower_case": False, "strip_accents": True},
    "left": {"truncation_side": "left"},
}
SENTENCES = [
    "", " ", "\t", "\n\r\n", "   \u00a0\u2003 ", "a", "A gripping, funny and sad film.", "It's a dog's life -- isn't it?",
    "The quick brown fox jumps over the lazy dog", "unaffable", "UNAFFABLE Unaffable", "e-mail: a.b+c@d-e.org!?",
    "$9.99 + 3^2 = ~18.99 | `code` <b>x</b> {1}[2](3) #tag @you 50% a&b c*d \\ / _ \" '",
    # Accents, composed and decomposed.
    "Café déjà vu naïve façade", "Cafe\u0301 de\u0301ja\u0300 vu nai\u0308ve", "ÀÉÎÕÜ àéîõü Ñandú Čeština Łódź Ørsted",
    "Tiếng Việt: Nguyễn Phở", "a\u0323\u0302\u0301 \u1ead", "Z̸͚͓a̵l̷g̶o̷", "\u0301 starts with a mark", "x\u0301\u0302\u0303\u0304",
    # Letter case that is special.
    "İstanbul Iğdır ısı", "Straße STRASSE ẞ", "ΟΔΥΣΣΕΥΣ Ὀδυσσεύς σας ς", "ﬁne ﬂow oﬃce ﬅ ﬆ", "ǅ ǈ Ǆ ǆ", "K Å Ω",
    "𝐇𝐞𝐥𝐥𝐨 𝒲ℴ𝓇𝓁𝒹 𝔘𝔫𝔦 𝟘𝟙𝟚 ℝℕℤ", "Ⅷ ⅷ Ⓐ ⓐ ½ ² ™ №",
    # Scripts.
    "中文字符测试", "我爱 Berlin 和東京。", "日本語のテキスト、カタカナ・ひらがな ｶﾞｷﾞ が か\u3099", "漢字かな交じり文", "豈更車\uf900\ufa30",
    "\U00020000\U0002a6df\U0002a700\U0002b73f\U0002b740\U0002b81f\U0002b820\U0002ceaf\U0002f800 ideographs", "\u3400\u4dbf\u4e00\u9fff",
    "안녕하세요 세계", "한국어 텍스트 각", "\u1112\u1161\u11ab 한", "مرحبا بالعالم، كيف حالك؟", "مُحَمَّد أإآ", "שלום עולם", "שָׁלוֹם בְּרֵאשִׁית",
    "สวัสดีชาวโลก น้ำ", "नमस्ते दुनिया। हिन्दी क़", "বাংলা ভাষা", "தமிழ் மொழி", "తెలుగు", "ქართული ენა ᲥᲐᲠ", "Հայերեն", "አማርኛ፡ቋንቋ።",
    "Привет, мир! Ёлка Й", "Українська їжак ґ", "Ελληνικά; ερώτηση·", "བོད་སྐད། ཀྵ", "ភាសាខ្មែរ", "မြန်မာ", "ᠮᠣᠩᠭᠣᠯ", "ᚠᚢᚦ ᛏ ᚛ᚑᚌ᚜",
    # Full-width forms, symbols, emoji.
    "ＦＵＬＬ ｗｉｄｔｈ １２３！？［ＳＥＰ］", "emoji 😀 👍🏽 end", "👨‍👩‍👧‍👦 family 🏳️‍🌈 🇩🇪 1️⃣ ❤️", "→ ⇒ ≠ ∑ √ ∞ € £ ¥ ¢ ₿", "♥ ☃ ★ ✓ ■ ▲",
    "“curly” ‘quotes’ – en — em … « » ‹ › „ ‚ ¿ ¡ § ¶ † ‡ • ‰ ′ ″ ‾ ⁄ ⁂ ※",
    "、。〈〉《》「」『』【】〔〕〖〗〜〝〞・", "﹏﹐﹑﹒﹔﹕﹖﹗ ！＂＃％＆", "\u166d\U000111c9\u1735\u061b\u061f\u066a\u06d4\u0964\u0965\u0e4f\u0f3a\u10fb\u1360",
    # Punctuation and marks that are newer than Unicode 8, and characters whose category has changed.
    "\u2e43x\u2e44y\u2e4fz\u2e52 \u1b7da \u09fdb \U00010f55c", "a\u1734b a\u1885b a\ua9bdb a\U0001171eb a\U000111c9b", "a\u08d4b a\u1df6b a\u20e1b \U0001e94a",
    "a\u0891b a\u08e2b a\U00013430b a\U000110cdb a\U000110bdb", "\U00011938 \U00011935\U00011930 \U000105c9",
    "\U00010f4d\U00010f46 \U00011d42\U00010f50 a\U0001e000\u0316b",
    # Control, format, space and unassigned characters.
    "a\x00b\x01c\x08d\x0be\x0cf\x1bg\x1fh\x7fi\x80j\x85k\x9fl", "tab\there\nnew\rline\r\nend", "no\u00a0break narrow\u202fnbsp\u2007fig",
    "zero\u200bwidth\u200cnon\u200djoin\u2060er\ufeffbom", "line\u2028sep\u2029para", "en\u2000quad em\u2001 \u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a \u205f \u3000 ideographic \u1680 ogham",
    "soft\u00adhyphen \u061c\u180e \u202a\u202e\u202c \u2066\u2069 \ufff9\ufffb", "bad\ufffdchar \ufffe \uffff", "private\ue000use\uf8ff \U000f0000 \U0010fffd",
    "unassigned \u0378 \u0379 \U0001fffe \U000e0080 \U000e0041\U000e007f", "\ufe0f\ufe0e \U000e0100 variation",
    # Long words and long texts.
    "a" * 99, "a" * 100, "a" * 101, "x " + "b" * 100 + " y " + "b" * 101 + " z", "é" * 100, "é" * 101, "e\u0301" * 100, "e\u0301" * 101,
    "ß" * 100, "İ" * 50, "İ" * 51, "İ" * 100, "가" * 33, "가" * 34, "가" * 51, "\u200b" * 200 + "ok", "a" * 60 + "-" + "b" * 60, "中" * 150,
    "donaudampfschifffahrtsgesellschaftskapitaen " * 3, "word " * 700, "antidisestablishmentarianism" * 3, "1234567890" * 10, "1234567890" * 10 + "1",
    # Special tokens inside text.
    "[SEP]", "a [SEP] b", "a[SEP]b", "[CLS]start[MASK] mid [PAD][UNK]", "[sep] [Sep] [ SEP ] [SEP", "[[SEP]]", "[SEP][SEP]", "x[SEPx]", "é[SEP]\u0301e",
    "\u200b[SEP]\u200b", "[ＳＥＰ]", "[SE\u200bP]", "[unused1] [unused0]", "##ing ##a #", "[MASK]ed", "I [MASK] you.",
]
PAIRS = [
    ("How old are you?", "I am six."), ("", ""), ("only first", ""), ("", "only second"), ("a b c d e f", "g h i j"), ("a b", "c d e f g h i j k l"),
    ("a b c d e f g h i j k l", "m n"), ("one two three four five", "one two three four five"), ("x [SEP] y", "z [CLS]"), ("中文", "Café 😀"),
    ("Premise: he sat down — slowly.", "Hypothesis: she stood up!"),
]
SMALL = [
    "", "abc", "ABC abca abcab", "\u00e9 e\u0301 a\u00e9 ae\u0301 E\u0301", "\u00c5 A\u030a", "a[MASK] b", "a  \t[MASK]b", " [MASK] [MASK]", "<ent>  a", "<ent> <ent>",
    "<ent><ent> a", "<ent><ent><ent>  a", "user", "a USER b", "users", "the-user.", "_user", "\u00e9user user\u0301", "new york", "NEW YORK", "in New Yorks", "new  york",
    "cafés", "😀", "a😀", "中文", "İ", "aaaaaaaaaa", "aaaaaaaaaaa", "a.b.c", "user user", "User[SEP]user", "[mask]", "<ENT>", "abc @@a", "[CLS]x[UNK]",
]


def random_texts(generator: random.Random, count: int) -> list[str]:
    """Mixtures of pieces of words, marks, spaces, special tokens and characters of all ranges."""
    words = [word for word in (FIXTURES / "bert-vocab.txt").read_text(encoding="utf-8").split("\n") if word]
    marks = [chr(code) for code in range(0x110000) if unicodedata.combining(chr(code))]
    ranges = [(0x20, 0x7E), (0, 0x7F), (0x80, 0xFF), (0x100, 0x24F), (0x300, 0x52F), (0x590, 0x6FF), (0x900, 0xFFF), (0x1000, 0x1FFF),
              (0x2000, 0x2BFF), (0x2E00, 0x30FF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFF), (0x10000, 0x1FFFF), (0, 0x10FFFF)]

    def piece() -> str:
        kind = generator.random()
        if kind < 0.45:
            word = generator.choice(words).removeprefix("##")
            return generator.choice([word, word.upper(), word.capitalize()])
        if kind < 0.5:
            return generator.choice(["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]"])
        if kind < 0.75:
            return generator.choice([" ", " ", " ", "\t", "\n", "\u00a0", "\u2028", "\u200b", "\u3000"])
        if kind < 0.85:
            return "".join(generator.choice(marks) for _ in range(generator.randint(1, 3)))
        low, high = generator.choice(ranges)
        codes = [generator.randint(low, high) for _ in range(generator.randint(1, 4))]
        return "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)

    return ["".join(piece() for _ in range(generator.randint(1, 16))) for _ in range(count)]


def main() -> None:
    cases: list[dict] = []

    def encode(tokenizer, name: str, text: str, pair: str | None = None, length: int | None = None) -> None:
        # As a batch, the way data sets are tokenised: a single call takes an empty second text for none.
        options = {} if length is None else {"truncation": "longest_first", "max_length": length}
        encoded = tokenizer([text], None if pair is None else [pair], **options)
        case = {"tokenizer": name, "text": text, "ids": encoded["input_ids"][0], "typeIDs": encoded["token_type_ids"][0]}
        if pair is not None:
            case["pair"] = pair
        if length is not None:
            case["maxLength"] = length
        cases.append(case)

    generator = random.Random(20240229)
    for name, settings in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "vocab.txt").write_bytes((FIXTURES / "bert-vocab.txt").read_bytes())
            (Path(folder) / "tokenizer_config.json").write_text(json.dumps(settings))
            tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
        if name != "left":
            for text in SENTENCES:
                if name == "uncased" or len(text) < 300:
                    encode(tokenizer, name, text)
            for text in random_texts(generator, 150 if name == "uncased" else 50):
                encode(tokenizer, name, text)
        if name in ("uncased", "left"):
            for text in ["", "a b c d e f", "The quick brown fox jumps", "word " * 200]:
                for length in (2, 3, 4, 5, 8, 128):
                    encode(tokenizer, name, text, None, length)
            for first, second in PAIRS:
                encode(tokenizer, name, first, second)
                for length in (4, 5, 6, 7, 8, 9, 12, 16):
                    encode(tokenizer, name, first, second, length)

    small = tokenizers.Tokenizer.from_file(str(FIXTURES / "bert-small-tokenizer.json"))
    for text, pair in [(text, None) for text in SMALL] + [("abc", "user a"), ("a", ""), ("", "b")]:
        encoded = small.encode(text, pair)
        case = {"tokenizer": "small", "text": text, "ids": encoded.ids, "typeIDs": encoded.type_ids}
        cases.append(case if pair is None else case | {"pair": pair})

    # The normalised text itself: a vocabulary hides much of it behind [UNK].
    normalizations = []
    for text in [text for text in SENTENCES if not text.isascii() and len(text) < 300] + random_texts(generator, 100):
        for lowercase, strip_accents in [(True, True), (True, False), (False, True)]:
            normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
            normalizations.append({"text": text, "lowercases": lowercase, "stripsAccents": strip_accents, "normalized": normalizer.normalize_str(text)})

    golden = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "settings": {name: json.dumps(settings) for name, settings in SETTINGS.items()}}

    def lines(values: list[dict]) -> str:
        return "[\n" + ",\n".join(json.dumps(value, separators=(",", ":")) for value in values) + "\n]"

    text = f'{json.dumps(golden)[:-1]}, "cases": {lines(cases)}, "normalizations": {lines(normalizations)}}}\n'
    (FIXTURES / "bert-tokenizer-goldens.json").write_text(text, encoding="ascii")
    print(len(cases), "cases and", len(normalizations), "normalisations")


if __name__ == "__main__":
    main()
