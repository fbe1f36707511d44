"""Writes Tests/TokenizationTests/Fixtures/stages.json: what each stage of Hugging Face's tokenizers does alone.

Run with what requirements.txt names: python make_stage_goldens.py
"""

import json
from pathlib import Path

from make_pipeline_goldens import CLIP, FIXTURES, GPT2, LLAMA3, O200K, QWEN2, QWEN35, SENTENCES, TEKKEN, field
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import __version__ as version

TEXTS = [text for text in SENTENCES if 0 < len(text) < 60]
# Texts that are made to be cut.
CUTS = ["a-b--c", "--a", "a--", "-", "a b  c", "  ", "x1y22z333", "a,b;;c!", "can't we'LL 'S", "αβγ123 ½Ⅷ", "a\n\n b\r\n", "中a文1"] + TEXTS[:40]


def json_of(stage) -> dict:
    return json.loads(stage.__getstate__())


def make_normalizers(charsmap: bytes) -> list:
    n = normalizers
    return [
        n.NFC(), n.NFD(), n.NFKC(), n.NFKD(), n.Lowercase(), n.StripAccents(), n.Strip(), n.Strip(left=False), n.Strip(right=False),
        n.Replace(" ", "▁"), n.Replace("a", ""), n.Replace(Regex(r"\s+"), " "), n.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "), n.Prepend("▁x"), n.Precompiled(charsmap),
        n.ByteLevel(), n.BertNormalizer(), n.BertNormalizer(lowercase=False), n.BertNormalizer(strip_accents=False, handle_chinese_chars=False),
        n.BertNormalizer(clean_text=False, lowercase=False, strip_accents=True), n.Sequence([n.NFD(), n.StripAccents(), n.NFC()]), n.Sequence([]),
    ]


def make_pre_tokenizers() -> list:
    p = pre_tokenizers
    behaviors = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
    return [
        p.BertPreTokenizer(), p.ByteLevel(add_prefix_space=True), p.ByteLevel(add_prefix_space=False), p.ByteLevel(add_prefix_space=False, use_regex=False),
        *[p.Metaspace(prepend_scheme=scheme, split=split) for scheme in ("always", "first", "never") for split in (True, False)], p.Metaspace("_"),
        *[p.Split("-", behavior, invert) for behavior in behaviors for invert in (False, True)],
        *[p.Split(Regex(r"\s+"), behavior, invert) for behavior in behaviors for invert in (False, True)],
        *[p.Split(Regex(pattern), "isolated") for pattern in (GPT2, LLAMA3, QWEN2, QWEN35, TEKKEN, O200K, CLIP)], p.Split(Regex(CLIP), "removed", invert=True),
        *[p.Split(Regex(pattern), "isolated") for pattern in (
            r"\p{N}{1,3}", r"\p{N}", r"[0-9][0-9][0-9]", r"[\r\n]", r"\s?\p{L}+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$|x" .replace(r"\s+$|", ""), r"[一-龥぀-ゟ゠-ヿ]+",
            r"\d+|\D+", r"\w+|[^\w\s]+", r"\w+(?=b)|\W", r"(?:ab|a|b)+c?", r"[^\S\n]+", r"\P{L}+", r"[\p{P}\p{S}]+", r"\p{Han}+" .replace("Han", "Lo"), r"\x61|\u0062|\x{63}",
            r"[A-Z]?[a-z]++", r"a{2}|b{1,}|-{,2}x", r".", r"[^a-z]", r"[-a]+", r"(?i:ll|S)+", r"\p{Lu}\p{Ll}*|\p{^L}")],
        p.Digits(), p.Digits(individual_digits=True), *[p.Punctuation(behavior) for behavior in behaviors], p.Whitespace(), p.WhitespaceSplit(), p.CharDelimiterSplit("-"),
        p.FixedLength(3), p.Sequence([p.WhitespaceSplit(), p.Metaspace(prepend_scheme="first")]), p.Sequence([p.Whitespace(), p.Punctuation("removed"), p.Digits(True)]),
        p.Sequence([p.Split(" ", "merged_with_previous"), p.ByteLevel(add_prefix_space=True)]),
    ]


def make_decoders() -> list:
    d = decoders
    lists = [
        ["ĠHello", "Ġworld", "!"], ["Ã", "©", "Ġx", "中"], ["â", "Ģ", "a"], ["[CLS]", "hel", "##lo", ",", "i", "##s", "n't", ".", "do", "not", "'", "s", "##", "."], ["▁Hey", "▁my", "▁▁", "fri▁end"],
        ["<0xE4>", "<0xB8>", "<0xAD>", "a", "<0xE4>", "b", "<0x+5>", "<0x4>", "<0xGG>"], ["hel</w>", "lo</w>", "x</w>"], ["  a  ", "b ", " ", ""], [" ", " a", "aXaXX"], [],
    ]
    stages = [
        d.ByteLevel(), d.WordPiece(), d.WordPiece(prefix="@", cleanup=False), d.WordPiece(cleanup=False), d.Metaspace(), d.Metaspace(prepend_scheme="never"), d.Replace("▁", " "),
        d.Replace(Regex("a+"), "-"), d.Fuse(), d.ByteFallback(), d.Strip(" ", 1, 0), d.Strip("X", 0, 1), d.BPEDecoder(), d.BPEDecoder(suffix="lo"),
        d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)]), d.Sequence([d.ByteFallback(), d.Metaspace()]),
    ]
    results = []
    for stage in stages:
        for tokens in lists:
            try:
                results.append((stage, tokens, stage.decode(tokens)))
            except BaseException:  # noqa: BLE001 Strip panics on tokens that are too short; a panic of Rust's is no Exception.
                continue
    return results


def members(expression: str) -> dict:
    """How many scalars match, and FNV-1a over their numbers."""
    scalars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    left = set(normalizers.Replace(Regex(expression), "").normalize_str("".join(scalars)))
    value, count = 0xCBF29CE484222325, 0
    for scalar in scalars:
        if scalar not in left:
            value = (value ^ ord(scalar)) * 0x100000001B3 % 2**64
            count += 1
    return {"pattern": expression, "count": count, "digest": f"{value:016x}"}


def make_truncations() -> list[dict]:
    tokenizer = Tokenizer.from_file(str(FIXTURES / "bert-uncased.json"))
    first, second = "the film was great and long", "it is not a good movie"
    cases = []
    for strategy in ("longest_first", "only_first", "only_second"):
        for direction in ("right", "left"):
            for length in (3, 4, 5, 6, 8, 9, 12, 40):
                for stride in (0, 1):
                    for pair in (None, second, "a"):
                        tokenizer.enable_truncation(length, stride=stride, strategy=strategy, direction=direction)
                        case = {"strategy": strategy, "direction": direction, "length": length, "stride": stride, "text": first, "pair": pair}
                        try:
                            encoded = tokenizer.encode(first, pair)
                        except BaseException:  # noqa: BLE001 A panic of Rust's is no Exception.
                            cases.append(case | {"windows": None})
                            continue
                        cases.append(case | {"windows": [encoded.ids] + [window.ids for window in encoded.overflowing]})
    return cases


def main() -> None:
    charsmap = field(field((FIXTURES / "spm.model").read_bytes(), 3), 2)
    golden = {"tokenizers": version, "normalizers": [], "preTokenizers": [], "decoders": [], "classes": [], "truncations": make_truncations()}
    for stage in make_normalizers(charsmap):
        description = json_of(stage)
        if description["type"] == "Precompiled":
            description["precompiled_charsmap"] = "nmt_nfkc"
        golden["normalizers"].append({"stage": description, "normalized": [stage.normalize_str(text) for text in TEXTS]})
    for stage in make_pre_tokenizers():
        cut = [[[piece, *offsets] for piece, offsets in stage.pre_tokenize_str(text)] for text in CUTS]
        golden["preTokenizers"].append({"stage": json_of(stage), "pieces": cut})
    for stage, tokens, text in make_decoders():
        golden["decoders"].append({"stage": json_of(stage), "tokens": tokens, "text": text})
    for name in ("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "N", "Nd", "P", "S", "So", "Z", "Cc"):
        golden["classes"].append(members(rf"\p{{{name}}}"))
    golden["classes"] += [members(expression) for expression in (r"\s", r"\w", r"\d", r"[^\s\p{L}\p{N}]", r"\S", r"\W")]
    golden["texts"], golden["cuts"] = TEXTS, CUTS
    (FIXTURES / "stages.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print({key: len(value) for key, value in golden.items()})


if __name__ == "__main__":
    main()
