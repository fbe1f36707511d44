"""Writes Fixtures/bert-added-token-goldens.json: what Hugging Face's tokenizer makes of texts, key by key of the files beside a vocabulary.

Run with transformers 5.23.0 and tokenizers 0.23.3 (Python 3.11 or later): python make_added_token_goldens.py

Cases in which the files contradict each other are not here: rankwise refuses them, or takes the number that a file gives a token,
where transformers gives it the next one.
"""

import json
import tempfile
from pathlib import Path

import tokenizers
import transformers
from transformers import BertTokenizer, PreTrainedTokenizerFast

FIXTURES = Path(__file__).parent / "Fixtures"
VOCABULARY = ("[PAD] [UNK] [CLS] [SEP] [MASK] . [ ] a b the new good film story naive cafe café Film ##s ##y ##ing [e1] e1 [X] 中 文").split()
COUNT = len(VOCABULARY)
TEXTS = [
    "[E1] good film", "a[E1]good film", "e1 good e1film", "Film café CAFE naïve", "中文film", "[SEP] a [MASK] film", "<s> good </s>",
    "[X] good [x]", " [E1]  film  [E2] ", "a  [X]  b", "new story new", "xFilmx [e1]", "films [Q] a", "[unk] [UNK] film", "[PAD]",
    "the [E1]s film", "[CLS]",
]


def token(content, **attributes):
    return {"content": content, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False} | attributes


CONFIG, MAP, ADDED, JSON = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"
LISTED = {"additional_special_tokens": ["[E1]"]}


def decoder(*tokens):
    return {"added_tokens_decoder": {str(number): value for number, value in tokens}}


CASES = {
    "no other file": {},
    "a special token in added_tokens.json": {MAP: LISTED, ADDED: {"[E1]": COUNT}},
    "plain tokens in added_tokens.json": {ADDED: {"[E1]": COUNT, "Story": COUNT + 1, "filmx": COUNT + 2}},
    "added_tokens.json in another order": {ADDED: {"[E2]": COUNT + 1, "[E1]": COUNT}},
    "added_tokens.json with a token of the vocabulary": {ADDED: {"film": VOCABULARY.index("film")}},
    "special tokens of the vocabulary": {MAP: {"additional_special_tokens": ["[X]"]}},
    "special tokens without numbers": {MAP: {"additional_special_tokens": ["[Q]", "[E1]"]}},
    "additional_special_tokens in the configuration": {CONFIG: {"additional_special_tokens": ["[Q]", "[X]"]}},
    "a list of extra_special_tokens": {CONFIG: {"extra_special_tokens": ["[Q]", "[X]"]}},
    "named extra_special_tokens": {CONFIG: {"extra_special_tokens": {"q_token": "[Q]", "x_token": "[X]"}}},
    "bos_token and eos_token": {CONFIG: {"bos_token": "<s>", "eos_token": "</s>"}},
    "bos_token and eos_token in the map": {MAP: {"bos_token": "<s>", "eos_token": "[X]"}},
    "another key that ends in _token": {CONFIG: {"my_token": "[Q]", "your_token": "[X]"}},
    "the map counts more than the configuration": {CONFIG: {"mask_token": "[X]"}, MAP: {"mask_token": "[e1]"}},
    "a special token as an object": {MAP: {"mask_token": token("[MASK]", lstrip=True, rstrip=True)}},
    "a special token that is normalized": {MAP: {"mask_token": token("[MASK]", normalized=True)}},
    "other names": {MAP: {"cls_token": "[X]", "sep_token": "[e1]", "unk_token": "new"}},
    "no padding token": {CONFIG: {"pad_token": None}},
    "do_lower_case": {CONFIG: {"do_lower_case": False}},
    "do_lower_case and strip_accents": {CONFIG: {"do_lower_case": False, "strip_accents": True}},
    "strip_accents": {CONFIG: {"strip_accents": False}},
    "tokenize_chinese_chars": {CONFIG: {"tokenize_chinese_chars": False}},
    "keys of the slow tokenizer": {CONFIG: {"never_split": ["Film", "[X]"], "do_basic_tokenize": False}},
    "keys of decoding and padding": {
        CONFIG: {"padding_side": "left", "model_max_length": 4, "clean_up_tokenization_spaces": True}},
    "split_special_tokens": {CONFIG: {"split_special_tokens": True}, MAP: LISTED, ADDED: {"[E1]": COUNT}},
    "added_tokens_decoder": {CONFIG: decoder((COUNT, token("[E1]", special=True)), (VOCABULARY.index("[X]"), token("[X]", special=True)))},
    "added_tokens_decoder with plain tokens": {
        CONFIG: decoder(
            (COUNT, token("[E1]", special=False, single_word=True)), (COUNT + 1, token("Story", special=False, normalized=True)),
            (VOCABULARY.index("film"), token("film", special=False, single_word=True)))},
    "added_tokens_decoder, and the files of older versions": {
        CONFIG: decoder((COUNT, token("[E1]", special=True))), MAP: {"mask_token": "[X]", "additional_special_tokens": ["[e1]"]},
        ADDED: {"[E2]": COUNT + 1}},
    "added_tokens_decoder and additional_special_tokens": {
        CONFIG: decoder((COUNT, token("[E1]", special=True))) | {"additional_special_tokens": ["[E1]", "[X]"]}},
    "BertTokenizerFast": {CONFIG: {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False}},
}


def tokenizer_json():
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.add_special_tokens(VOCABULARY[:5])
    return json.loads(tokenizer.to_str())


def main() -> None:
    cases = dict(CASES)
    # Without tokenizer.json, whose own names these would contradict.
    for name, files in CASES.items():
        if name != "other names":
            cases[name + ", beside tokenizer.json"] = files | {JSON: tokenizer_json()}
    cases["the generic class"] = {
        JSON: tokenizer_json(), CONFIG: decoder((COUNT, token("[E1]", special=True))) | {
            "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "do_lower_case": False}}
    goldens = []
    for name, files in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            texts = {file: json.dumps(content, ensure_ascii=False) for file, content in files.items()}
            for file, text in ({"vocab.txt": "\n".join(VOCABULARY) + "\n"} | texts).items():
                (Path(folder) / file).write_text(text, encoding="utf-8")
            kind = PreTrainedTokenizerFast if name == "the generic class" else BertTokenizer
            tokenizer = kind.from_pretrained(folder)
            goldens.append({"name": name, "files": texts, "ids": [tokenizer(text)["input_ids"] for text in TEXTS]})
    golden = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "vocabulary": VOCABULARY, "texts": TEXTS}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in goldens)
    (FIXTURES / "bert-added-token-goldens.json").write_text(f'{json.dumps(golden)[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="ascii")
    print(len(goldens), "cases")


if __name__ == "__main__":
    main()
