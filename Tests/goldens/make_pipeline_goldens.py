"""Writes Tests/TokenizationTests/Fixtures: small tokenizers with the pipelines of published ones, and what Hugging Face's tokenizers
library makes of 2,200 texts with each.

Run with what requirements.txt names, sentencepiece 0.2.3, and RANKWISE_DATA set (launch/fetch-data.sh):
python make_pipeline_goldens.py [--full FOLDER]

texts.json has the texts. NAME.json is a tokenizer.json; a precompiled_charsmap of "nmt_nfkc" stands for that of spm.model, which
would otherwise be written four times. FOLDER.golden.json is of a folder without tokenizer.json, with what transformers 4 made of
its files (convert_slow_tokenizer.py, whose steps are repeated here, because transformers 5 makes other tokenizers of them). NAME.golden.json has ids, offsets and decoded text of the first texts in full, and a
digest of these for each text: see `digest`. --full writes everything for every text to FOLDER, to find out what differs.
"""

import base64
import csv
import json
import os
import random
import sys
import unicodedata
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import __version__ as version

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "TokenizationTests" / "Fixtures"
WHOLE = 60
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

SENTENCES = [
    "", " ", "\t", "\n\r\n", "   \u00a0\u2003 ", "a", "Hello world! 123", "\n", "  multiple   spaces", "The capital of France is",
    "It's a dog's life -- isn't it? I'LL say WE'VE they'Re he'D 'S 'ſ I'M", "don't DON'T dON’T", "def f(x):\n    return x ** 2\n\n\nprint(f(3))\t# 9",
    "$9.99 + 3^2 = ~18.99 | `code` <b>x</b> {1}[2](3) #tag @you 50% a&b c*d \\ / _ \" '", "1234567890 12 123 1234 ½ ² Ⅷ ௧௨௩ ١٢٣ 一二三",
    "Café déjà vu naïve façade", "Cafe\u0301 de\u0301ja\u0300 vu nai\u0308ve", "ÀÉÎÕÜ àéîõü Ñandú Čeština Łódź Ørsted", "Tiếng Việt: Nguyễn Phở",
    "a\u0323\u0302\u0301 \u1ead a\u0301\u0323", "Z̸͚͓a̵l̷g̶o̷", "\u0301 starts with a mark", "x\u0301\u0302\u0303\u0304", "İstanbul Iğdır ısı", "Straße STRASSE ẞ",
    "ΟΔΥΣΣΕΥΣ Ὀδυσσεύς σας ς", "ﬁne ﬂow oﬃce ﬅ ﬆ \ufb00\u0301", "ǅ ǈ Ǆ ǆ", "K Å Ω", "𝐇𝐞𝐥𝐥𝐨 𝒲ℴ𝓇𝓁𝒹 𝔘𝔫𝔦 𝟘𝟙𝟚 ℝℕℤ", "Ⅷ ⅷ Ⓐ ⓐ ½ ² ™ № ㎏ ㌔ ㍿ ①",
    "中文字符测试", "我爱 Berlin 和東京。", "日本語のテキスト、カタカナ・ひらがな ｶﾞｷﾞ が か\u3099", "豈更車\uf900\ufa30", "\U00020000\U0002a6df ideographs",
    "안녕하세요 세계", "한국어 각", "\u1112\u1161\u11ab 한 \uac00\u11a8", "مرحبا بالعالم، كيف حالك؟", "مُحَمَّد أإآ ﷺ ﻻ", "שלום עולם", "שָׁלוֹם בְּרֵאשִׁית", "abc שלום def عربي 123",
    "\u202bשלום\u202c \u200fabc\u200e", "สวัสดีชาวโลก น้ำ", "नमस्ते दुनिया। हिन्दी क़ क्षि", "বাংলা ভাষা", "தமிழ் மொழி", "తెలుగు", "ქართული ენა ᲥᲐᲠ", "አማርኛ፡ቋንቋ።",
    "Привет, мир! Ёлка Й", "Українська їжак ґ", "Ελληνικά; ερώτηση·", "བོད་སྐད། ཀྵ", "ភាសាខ្មែរ", "မြန်မာ", "ᠮᠣᠩᠭᠣᠯ", "ᚠᚢᚦ ᛏ ᚛ᚑᚌ᚜",
    "ＦＵＬＬ ｗｉｄｔｈ １２３！？［ＳＥＰ］　ideographic　space", "emoji 😀 👍🏽 end", "👨‍👩‍👧‍👦 family 🏳️‍🌈 🇩🇪 1️⃣ ❤️ 👩🏿‍🚀", "→ ⇒ ≠ ∑ √ ∞ € £ ¥ ¢ ₿ ♥ ☃ ★ ✓",
    "“curly” ‘quotes’ – en — em … « » ‹ › ¿ ¡ § ¶ † • ‰ ′ ″ ‾ ⁄", "、。〈〉《》「」『』【】〜・ ﹏﹐﹑ ！＂＃％＆", "a\x00b\x01c\x08d\x0be\x0cf\x1bg\x1fh\x7fi\x80j\x85k\x9fl",
    "tab\there\nnew\rline\r\nend\r\r\n", "no\u00a0break narrow\u202fnbsp\u2007fig", "zero\u200bwidth\u200cnon\u200djoin\u2060er\ufeffbom", "line\u2028sep\u2029para\u0085nel",
    "en\u2000quad \u2002\u2003\u2009\u200a \u205f \u3000 \u1680 ogham", "soft\u00adhyphen \u061c\u180e \u202a\u202e\u2066\u2069 \ufff9\ufffb", "bad\ufffdchar \ufffe \uffff",
    "private\ue000use\uf8ff \U000f0000 \U0010fffd", "unassigned \u0378 \U0001fffe \U000e0041\U000e007f", "\ufe0f\ufe0e \U000e0100 variation",
    "new \u088f\ua7ce\U00010ec5\U0001e6c0\U00011de0 seventeen", "\u0295 \u166d \U000111c9 \u1cf2 \u1734 \u2e43 \u1b7d",
    "a" * 130, "é" * 110, "中" * 150, "donaudampfschifffahrtsgesellschaftskapitaen " * 3, "antidisestablishmentarianism" * 3, "1234567890" * 12, " " * 50, "\n" * 20, " \n" * 20, "x" + " " * 30 + "y",
    "word " * 200, "ab" * 300, "<0x41><0xE4>", "▁a ▁▁ b▁", "ĠaĊ", "<unk>", "a<unk>b", "<unk><unk> x", "##ing ##a #",
    "[SEP] a [MASK] b[CLS]", "x  <mask>  y <mask>z", "<s> a </s>", "<|endoftext|>a <|im_start|>user\nhi<|im_end|>\n", "<ent> a<ent>b <ent>", "<ENT> new york New York newyork", "[sep] [Sep] [ SEP ] [SEP",
    "line one\nline two\n\n  indented\n\t\ttabs\n", "\u3000全角　スペース", " leading", "trailing ", "  both  ", "\nnew", "a\u0301\u0327b c\u0327\u0301", "Ａ\u030a ｶ\u3099",
]
ADDED = [
    AddedToken("<ent>", single_word=True, normalized=False), AddedToken("new york", normalized=True, rstrip=True),
    AddedToken("<mask>", lstrip=True, special=True, normalized=False),
]


def reviews() -> list[str]:
    with open(Path(os.environ["RANKWISE_DATA"]) / "movie-reviews" / "train.tsv", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def make_texts(lines: list[str]) -> list[str]:
    generator = random.Random(20260101)
    words = sorted({word for line in lines for word in line.split()})
    marks = [chr(code) for code in range(0x110000) if unicodedata.combining(chr(code))]
    ranges = [(0x20, 0x7E), (0, 0x7F), (0x80, 0xFF), (0x100, 0x24F), (0x300, 0x52F), (0x590, 0x6FF), (0x900, 0xFFF), (0x1000, 0x1FFF), (0x2000, 0x2BFF),
              (0x2E00, 0x30FF), (0x3400, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFF), (0x10000, 0x1FFFF), (0, 0x10FFFF)]
    spaces = [" ", " ", " ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\u00a0", "\u2028", "\u200b", "\u3000", "\x85", "\x0b"]
    fragments = [part for sentence in SENTENCES for part in sentence.split(" ") if 0 < len(part) < 20]
    specials = ["[SEP]", "[MASK]", "<mask>", "<s>", "</s>", "<unk>", "<ent>", "new york", "<|endoftext|>", "<|im_start|>"]

    def piece() -> str:
        kind = generator.random()
        if kind < 0.35:
            word = generator.choice(words)
            return generator.choice([word, word, word.upper(), word.capitalize()])
        if kind < 0.4:
            return generator.choice(specials)
        if kind < 0.65:
            return generator.choice(spaces)
        if kind < 0.8:
            return generator.choice(fragments)
        if kind < 0.85:
            return "".join(generator.choice(marks) for _ in range(generator.randint(1, 3)))
        low, high = generator.choice(ranges)
        codes = [generator.randint(low, high) for _ in range(generator.randint(1, 4))]
        return "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)

    texts = list(SENTENCES)
    texts += [generator.choice(lines) for _ in range(600)]
    texts += ["".join(piece() for _ in range(generator.randint(1, 14))) for _ in range(1200)]
    texts += [" ".join(generator.choice(fragments) for _ in range(generator.randint(1, 8))) for _ in range(2200 - len(texts))]
    return texts


def nmt_nfkc(lines: list[str]) -> bytes:
    """Trains spm.model, and gives the character map in it."""
    with open("/tmp/spm-lines.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input="/tmp/spm-lines.txt", model_prefix="/tmp/spm", vocab_size=600, character_coverage=0.9995, model_type="unigram",
        normalization_rule_name="nmt_nfkc", num_threads=1, minloglevel=2)
    model = Path("/tmp/spm.model").read_bytes()
    (FIXTURES / "spm.model").write_bytes(model)
    return field(field(model, 3), 2)


def field(message: bytes, wanted: int) -> bytes:
    """The bytes of a field of a protobuf message."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key = varint()
        if key & 7 == 2:
            length = varint()
            if key >> 3 == wanted:
                return message[position:position + length]
            position += length
        elif key & 7 == 0:
            varint()
        else:
            position += {5: 4, 1: 8}[key & 7]
    raise KeyError(wanted)


def byte_level(lines, split=None, normalizer=None, specials=("<|endoftext|>",), size=700, digits=False, options=None, **kwargs) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**(options or {})))
    if normalizer:
        tokenizer.normalizer = normalizer
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    first = [pre_tokenizers.Digits(individual_digits=True)] if digits else []
    if split:
        first.append(pre_tokenizers.Split(Regex(split), behavior=kwargs.get("behavior", "isolated"), invert=kwargs.get("invert", False)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(first + [level]) if first else level
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        end_of_word_suffix=(options or {}).get("end_of_word_suffix", ""))
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.add_tokens(ADDED[:2])
    return tokenizer


def sentencepiece_bpe(lines, version5: bool, gemma: bool = False) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    replace = normalizers.Replace(" ", "▁")
    if gemma:
        tokenizer.normalizer = replace
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    elif version5:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace])
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    # Trained with words apart, as no merge crosses a space in the published ones.
    final = tokenizer.pre_tokenizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁") if not gemma else pre_tokenizers.Split("▁", "merged_with_next")
    normalizer, tokenizer.normalizer = tokenizer.normalizer, (replace if gemma else normalizers.Sequence([]))
    extra = ["\n\n" * 3 + "\n" + "  " * 8] * 40 if gemma else []
    tokenizer.train_from_iterator(lines + extra, trainers.BpeTrainer(vocab_size=900, special_tokens=specials, show_progress=False, limit_alphabet=150))
    content = json.loads(tokenizer.to_str())
    # Bytes are tokens of the vocabulary, not added ones; v4's files have it so.
    content["added_tokens"] = [token for token in content["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.pre_tokenizer, tokenizer.normalizer = final, normalizer
    if gemma:
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    else:
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B:1", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    tokenizer.add_tokens(ADDED[:2])
    return tokenizer


def unigram(lines, normalizer, pre_tokenizer, specials, template, unk, byte_fallback=False, decoder=None) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.UnigramTrainer(vocab_size=700, special_tokens=specials, unk_token=unk, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    if byte_fallback:
        content = json.loads(tokenizer.to_str())
        content["model"]["byte_fallback"] = True
        content["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
        tokenizer = Tokenizer.from_str(json.dumps(content))
    single, pair, names = template
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names])
    tokenizer.decoder = decoder or decoders.Metaspace()
    tokenizer.add_tokens(ADDED)
    return tokenizer


def word_piece(lines, lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=900, special_tokens=specials, show_progress=False, limit_alphabet=200))
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    if lowercase:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    else:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", sep), ("[CLS]", cls))
    tokenizer.add_tokens(ADDED)
    return tokenizer


def make_tokenizers(lines: list[str], charsmap: bytes) -> dict[str, Tokenizer]:
    result = {}
    result["gpt2"] = byte_level(lines)
    result["gpt2"].post_processor = processors.ByteLevel(trim_offsets=False)
    roberta = byte_level(lines, specials=("<s>", "<pad>", "</s>", "<unk>"))
    roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    roberta.add_special_tokens([ADDED[2]])
    result["roberta"] = roberta
    prefixed = byte_level(lines)
    prefixed.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    prefixed.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=True)
    result["gpt2-prefixed"] = prefixed
    llama3 = byte_level(lines, LLAMA3, specials=("<|begin_of_text|>", "<|endoftext|>", "<|im_start|>"), options={"ignore_merges": True})
    llama3.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B:1", special_tokens=[("<|begin_of_text|>", 0)])])
    result["llama3"] = llama3
    result["qwen2"] = byte_level(lines, QWEN2, normalizers.NFC(), specials=("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    result["qwen2"].post_processor = processors.ByteLevel(trim_offsets=False)
    result["qwen3.5"] = byte_level(lines, QWEN35, normalizers.NFC())
    result["smollm2"] = byte_level(lines, digits=True, specials=("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    result["tekken"] = byte_level(lines, TEKKEN, options={"ignore_merges": True})
    result["o200k"] = byte_level(lines, O200K)
    clip = byte_level(
        lines, CLIP, normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]),
        behavior="removed", invert=True, options={"end_of_word_suffix": "</w>", "unk_token": "<|endoftext|>"})
    clip.decoder = decoders.BPEDecoder(suffix="</w>")
    result["clip"] = clip
    result["llama2-v4"] = sentencepiece_bpe(lines, version5=False)
    result["llama2-v5"] = sentencepiece_bpe(lines, version5=True)
    result["gemma"] = sentencepiece_bpe(lines, version5=False, gemma=True)
    # What has no tokens for bytes, so that unknown characters are unknown.
    words = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, continuing_subword_prefix="@@"))
    words.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Strip()])
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(False)])
    words.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>"], show_progress=False, continuing_subword_prefix="@@", limit_alphabet=60))
    words.add_tokens(ADDED)
    result["bpe-words"] = words

    bert_like = ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ["[CLS]", "[SEP]"])
    precompiled = normalizers.Precompiled(charsmap)
    collapse = normalizers.Replace(Regex(" {2,}"), " ")
    metaspace = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    deberta = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    result["deberta-v4"] = unigram(
        lines, normalizers.Sequence([normalizers.Strip(), precompiled, collapse]), pre_tokenizers.Sequence([metaspace]), deberta, bert_like, "[UNK]")
    result["deberta-v5"] = unigram(
        lines, normalizers.Sequence([normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "), normalizers.NFC(), normalizers.Strip(left=False)]),
        metaspace, deberta, bert_like, "[UNK]")
    result["xlm-r"] = unigram(
        lines, normalizers.Sequence([precompiled, collapse]), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace]),
        ["<s>", "<pad>", "</s>", "<unk>"], ("<s> $A </s>", "<s> $A </s> </s> $B </s>", ["<s>", "</s>"]), "<unk>")
    result["t5"] = unigram(
        lines, normalizers.Sequence([precompiled, normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "▁")]),
        pre_tokenizers.Metaspace("▁", prepend_scheme="first"), ["<pad>", "</s>", "<unk>"],
        ("$A </s>", "$A </s> $B </s>", ["</s>"]), "<unk>", byte_fallback=True,
        decoder=decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()]))
    result["albert"] = unigram(
        lines, normalizers.Sequence([
            normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), precompiled,
            collapse]),
        metaspace, ["<pad>", "<unk>", "[CLS]", "[SEP]"], bert_like, "<unk>")
    result["bert-uncased"] = word_piece(lines, True)
    result["bert-cased"] = word_piece(lines, False)
    level = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    level.normalizer = normalizers.NFKC()
    level.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    level.train_from_iterator(lines, trainers.WordLevelTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False))
    result["words"] = level
    return result


def special(*contents: str, lstrip: bool = False) -> list[AddedToken]:
    return [AddedToken(content, special=True, normalized=False, lstrip=lstrip) for content in contents]


def train_spm(lines: list[str], name: str, **options) -> bytes:
    with open("/tmp/spm-lines.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input="/tmp/spm-lines.txt", model_prefix="/tmp/spm-" + name, character_coverage=0.9995, num_threads=1, minloglevel=2,
        normalization_rule_name="identity", hard_vocab_limit=False, **options)
    return Path(f"/tmp/spm-{name}.model").read_bytes()


def pieces(model: bytes) -> list[tuple[str, float, int]]:
    """Text, score and type of each piece, by the library's own reader."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    kinds = [(processor.IsUnknown, 2), (processor.IsControl, 3), (processor.IsUnused, 5), (processor.IsByte, 6)]
    return [
        (processor.IdToPiece(index), processor.GetScore(index), next((kind for test, kind in kinds if test(index)), 1))
        for index in range(processor.GetPieceSize())]


def merges_of(vocabulary: dict[str, int], scores: dict[str, float]) -> list[tuple[str, str]]:
    merges = []
    for whole, score in scores.items():
        local = [(whole[:cut], whole[cut:], score) for cut in range(1, len(whole)) if whole[:cut] in vocabulary and whole[cut:] in vocabulary]
        merges += sorted(local, key=lambda parts: (vocabulary[parts[0]], vocabulary[parts[1]]))
    return [parts[:2] for parts in sorted(merges, key=lambda parts: (parts[2], len(parts[0]), len(parts[1])), reverse=True)]


def make_folders(lines: list[str], charsmap: bytes) -> dict[str, Tokenizer]:
    """Folders without tokenizer.json, and what transformers 4 made of them."""
    result = {}

    def folder(name: str, files: dict[str, bytes | str | dict]) -> None:
        (FIXTURES / name).mkdir(exist_ok=True)
        for file, content in files.items():
            if isinstance(content, dict):
                content = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
            (FIXTURES / name / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    # DeBERTa: a Unigram model whose control pieces are BERT's; the mask is not among them.
    model = train_spm(
        lines, "deberta", vocab_size=600, model_type="unigram", pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
        eos_piece="[SEP]", unk_piece="[UNK]")
    folder("deberta-folder", {"spm.model": model, "tokenizer_config.json": {"tokenizer_class": "DebertaV2Tokenizer", "do_lower_case": True, "split_by_punct": True}})
    tokenizer = Tokenizer(models.Unigram([(text, score) for text, score, _ in pieces(model)], unk_id=3, byte_fallback=False))
    tokenizer.add_tokens(special(*[text for text, _, kind in pieces(model) if kind == 3]) + special("[UNK]", "[MASK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Metaspace("▁", prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    result["deberta-folder"] = tokenizer

    # XLM-R: the model of spm.model, with other special tokens before it.
    model = (FIXTURES / "spm.model").read_bytes()
    folder("xlm-r-folder", {"config.json": {"model_type": "xlm-roberta"}})
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [piece[:2] for piece in pieces(model)[3:]] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.add_tokens(special("<s>", "</s>", "<unk>", "<pad>") + special("<mask>", lstrip=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(charsmap), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B:0 </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    result["xlm-r-folder"] = tokenizer

    # Llama 2: BPE with bytes for what is unknown.
    model = train_spm(lines, "llama", vocab_size=800, model_type="bpe", byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True)
    folder("llama-folder", {"tokenizer.model": model, "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "bos_token": {"content": "<s>", "normalized": False}}})
    ids = {text: index for index, (text, _, _) in enumerate(pieces(model))}
    tokenizer = Tokenizer(models.BPE(ids, merges_of(ids, {text: score for text, score, _ in pieces(model)}), unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_tokens(special("<s>", "</s>", "<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s>:0 $A:0", pair="<s>:0 $A:0 <s>:1 $B:1", special_tokens=[("<s>", ids["<s>"])])
    result["llama-folder"] = tokenizer

    # RoBERTa: vocab.json and merges.txt, and a mask that takes the space before it.
    source = json.loads((FIXTURES / "roberta.json").read_text(encoding="utf-8"))["model"]
    merges = "".join(f"{left} {right}\n" for left, right in source["merges"])
    vocabulary = source["vocab"] | {"<mask>": len(source["vocab"])}
    folder("roberta-folder", {
        "vocab.json": vocabulary, "merges.txt": "#version: 0.2\n" + merges,
        "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True,
                                  "added_tokens_decoder": {str(len(vocabulary)): {"content": "<ent>", "lstrip": False, "rstrip": True, "normalized": False, "special": False, "single_word": True}}}})
    tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(pair) for pair in source["merges"]]))
    tokenizer.add_tokens([AddedToken("<ent>", single_word=True, rstrip=True, normalized=False)])
    tokenizer.add_tokens(special("<s>", "</s>", "<unk>", "<pad>") + special("<mask>", lstrip=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
    result["roberta-folder"] = tokenizer

    # BERT: vocab.txt.
    vocabulary = json.loads((FIXTURES / "bert-cased.json").read_text(encoding="utf-8"))["model"]["vocab"]
    folder("bert-folder", {
        "vocab.txt": "".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.get)),
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": True}})
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_tokens(special("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    result["bert-folder"] = tokenizer
    return result


def digest(encoded, pair, decoded: str) -> str:
    """FNV-1a, its upper 32 bits, of ids, offsets, type ids, words, the pair's ids and type ids, and the decoded text."""
    def numbers(values) -> str:
        return ",".join(str(value) for value in values)

    offsets = [value for offset in encoded.offsets for value in offset]
    words = [-1 if word is None else word for word in encoded.word_ids]
    parts = [encoded.ids, offsets, encoded.type_ids, words, pair.ids, pair.type_ids]
    text = "|".join([numbers(part) for part in parts] + [decoded])
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value >> 32:08x}"


def main() -> None:
    full = Path(sys.argv[2]) if sys.argv[1:2] == ["--full"] else None
    FIXTURES.mkdir(exist_ok=True)
    lines = reviews()
    texts = make_texts(lines)
    training = lines[:4000] + SENTENCES * 8
    plain = [line for line in lines[:3000]] + [sentence for sentence in SENTENCES if sentence.strip() and "\n" not in sentence]
    charsmap = nmt_nfkc(plain)
    (FIXTURES / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    encoded_map = base64.b64encode(charsmap).decode()
    made = make_tokenizers(training, charsmap)
    for name, tokenizer in made.items():
        content = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
        (FIXTURES / f"{name}.json").write_text(content.replace(encoded_map, "nmt_nfkc") + "\n", encoding="utf-8")
    for name, tokenizer in (made | make_folders(plain, charsmap)).items():
        content = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
        if full:
            (full / name).mkdir(parents=True, exist_ok=True)
            (full / name / "tokenizer.json").write_text(content, encoding="utf-8")
        tokenizer = Tokenizer.from_str(content)
        digests, whole, everything = [], [], []
        for text in texts:
            encoded, pair = tokenizer.encode(text), tokenizer.encode(text, "second text")
            decoded = tokenizer.decode(encoded.ids, skip_special_tokens=False)
            digests.append(digest(encoded, pair, decoded))
            case = {"ids": encoded.ids, "offsets": encoded.offsets, "decoded": decoded}
            if len(whole) < WHOLE:
                whole.append(case)
            if full:
                words = [-1 if word is None else word for word in encoded.word_ids]
                everything.append(case | {"words": words, "types": encoded.type_ids, "pair": pair.ids, "pairTypes": pair.type_ids})
        golden = {"tokenizers": version, "digests": "".join(digests), "whole": whole}
        (FIXTURES / f"{name}.golden.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        if full:
            (full / name / "full.json").write_text(json.dumps(everything), encoding="utf-8")
        print(name, tokenizer.get_vocab_size())


if __name__ == "__main__":
    main()
