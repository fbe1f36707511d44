"""Trains every family of encoders with rankwise, and loads what it leaves in PEFT and transformers; run by hand.

    .venv/bin/python Tests/goldens/check_encoders.py .build/release/rankwise            small encoders, every kind of result
    .venv/bin/python Tests/goldens/check_encoders.py .build/release/rankwise --base     base-size encoders with random weights

Prints how far the logits are from what `rankwise predict` printed, and fails above 1e-5 for small encoders (1e-4 for those of base
size, whose logits PyTorch computes in float32), and where a tensor is missing or unexpected.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers
import torch
import transformers
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

RANKWISE = str(pathlib.Path(sys.argv[1]).resolve())
ENCODERS = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "encoders"
TEXTS = ["a good film", "the story was not very good.", "dull and sad", "", "an old movie with great music and a plot " * 3]
FAMILIES = ["tiny-roberta", "tiny-xlm-roberta", "tiny-distilbert", "tiny-electra", "tiny-mpnet", "tiny-deberta-v3",
            "tiny-deberta-v2", "tiny-modernbert", "tiny-modernbert-mean"]
BASE = {
    "RoBERTa-base": transformers.RobertaConfig(
        vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5),
    "DeBERTa-v3-base": transformers.DebertaV2Config(
        hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072, relative_attention=True,
        position_buckets=256, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p",
        position_biased_input=False, type_vocab_size=0),
    "ModernBERT-base": transformers.ModernBertConfig(),
}


def rankwise(*arguments, text=None):
    result = subprocess.run([RANKWISE, *map(str, arguments)], input=text, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"rankwise {' '.join(map(str, arguments))}: {result.stderr}")
    return result.stdout


def tokenizer_for(folder):
    """The small tokenizer of RoBERTa or DeBERTa, whichever has the padding token at its place."""
    source = ENCODERS / ("tiny-roberta" if json.load(open(folder / "config.json")).get("pad_token_id") == 1 else "tiny-deberta-v3")
    shutil.copy(source / "tokenizer.json", folder / "tokenizer.json")
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


def predicted(*arguments):
    lines = rankwise("predict", *arguments, text="\n".join(TEXTS) + "\n").splitlines()
    return torch.tensor([json.loads(line)["logits"] for line in lines])


@torch.no_grad()
def logits(model, tokenizer):
    model.eval()
    rows = []
    for text in TEXTS:
        encoded = tokenizer.encode(text)
        ids = torch.tensor([encoded.ids])
        rows.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float())
    return torch.cat(rows)


def loaded(folder):
    """The model of a folder, which must have every tensor and no other."""
    model, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    assert not info["missing_keys"] and not info["mismatched_keys"], info
    unexpected = [key for key in info["unexpected_keys"] if "pooler" not in key and "position_ids" not in key]
    assert not unexpected, unexpected
    return model


def train(folder, base, output, *settings):
    (folder / "train.tsv").write_text("text\tlabel\n" + "a good film\t1\nthe story was bad and long\t0\n" * 8)
    (folder / "run.yaml").write_text(
        f"model: {base}\ndata: {{ train: {folder}/train.tsv, max_length: 36 }}\noutput: {output}\ntotal_step: 12\n"
        "batch_size: 8\noptimizer: { lr: 5.0e-3, warmup_steps: 2 }\n")
    rankwise("train", "--config", folder / "run.yaml", *(part for setting in settings for part in ["--set", setting]))


ADAPTER = ["adapter.init_r=4", "adapter.target_r=2", "adapter.tinit=2", "adapter.tfinal=4", "adapter.deltaT=2"]


def small(name, folder):
    base = folder / "base"
    base.mkdir()
    for file in ["config.json", "model.safetensors"]:
        shutil.copy(ENCODERS / name / file, base / file)
    tokenizer = tokenizer_for(base)
    train(folder, base, folder / "adalora", *ADAPTER)
    train(folder, base, folder / "lora-run", *ADAPTER[:1], "method=lora")
    for method in ["full", "head"]:
        train(folder, base, folder / method, f"method={method}")
    rankwise("export", folder / "adalora", "--format", "lora", "--output", folder / "lora")
    rankwise("export", folder / "adalora", "--format", "merged", "--output", folder / "merged")
    differences = {}
    for kind, path in [("adalora", folder / "adalora" / "adapter"), ("trained lora", folder / "lora-run" / "adapter"),
                       ("lora", folder / "lora")]:
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=2, dtype=torch.float32)
        ours = predicted("--adapter", path, "--model", base)
        differences[kind] = (logits(PeftModel.from_pretrained(model, path), tokenizer) - ours).abs().max().item()
    for kind, path in [("merged", folder / "merged"), ("full", folder / "full" / "model"), ("head", folder / "head" / "model")]:
        differences[kind] = (logits(loaded(path), tokenizer) - predicted("--adapter", path)).abs().max().item()
    print(f"{name:24s}" + "  ".join(f"{kind} {difference:.1e}" for kind, difference in differences.items()), flush=True)
    assert max(differences.values()) < 1e-5


def of_base_size(name, folder):
    configuration = BASE[name]
    configuration.num_labels = 2
    torch.manual_seed(7)
    model = AutoModelForSequenceClassification.from_config(configuration).float().eval()
    for key, parameter in model.named_parameters():
        parameter.data += (0.02 if parameter.ndim > 1 else 0.1) * torch.randn_like(parameter)
    model.save_pretrained(folder)
    tokenizer = tokenizer_for(folder)
    ours = predicted("--adapter", folder)
    reference = logits(model, tokenizer)
    difference = ((reference - ours).abs().max() / reference.abs().max()).item()
    print(f"{name:24s}logits {difference:.1e} of the largest, {reference.abs().max().item():.2f}", flush=True)
    assert difference < 1e-4


names, check = (BASE, of_base_size) if "--base" in sys.argv else (FAMILIES, small)
for name in names:
    with tempfile.TemporaryDirectory() as folder:
        check(name, pathlib.Path(folder))
