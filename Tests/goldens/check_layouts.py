"""Trains with rankwise on models whose files are laid out as published ones are, and loads what it leaves in PEFT and transformers.

    .venv/bin/python Tests/goldens/check_layouts.py .build/debug/rankwise

The layouts: that of bert-base-uncased's own file (`bert.` before every name, LayerNorm.gamma and .beta, the heads of pretraining),
and what save_pretrained leaves of models that were trained for other tasks, and have no pooler. The weights are random and small.
For each: AdaLoRA, LoRA, a merged model, full training and a new head alone; prints how far the logits are from what
`rankwise predict` printed, and fails above 1e-5, the rounding of single precision at logits of about 1.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

RANKWISE = str(pathlib.Path(sys.argv[1]).resolve())
WORDS = "a an the film movie story is was not very good bad dull fine great sad . ,".split()
TEXTS = ["a good film", "the story was not very good .", "dull , sad", "", "an unknown word"]


def rankwise(*arguments, text=None):
    return subprocess.run([RANKWISE, *map(str, arguments)], input=text, capture_output=True, text=True, check=True).stdout


def make_model(folder, kind):
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=5 + len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64)
    if kind == "original":
        model = transformers.BertForPreTraining(config)
    elif kind == "bare":
        model = transformers.BertModel(config, add_pooling_layer=False)
    else:
        model = getattr(transformers, kind)(config)
    # Fresh models have biases of 0 and norms of 1, which would hide names that are mixed up.
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    if kind == "original":
        path = folder / "model.safetensors"
        tensors = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
            for name, tensor in load_file(path).items()
        }
        assert any(name.endswith("LayerNorm.gamma") for name in tensors) and "cls.predictions.bias" in tensors
        save_file(tensors, path, metadata={"format": "pt"})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")


def predicted(*arguments):
    lines = rankwise("predict", *arguments, text="\n".join(TEXTS) + "\n").splitlines()
    return torch.tensor([json.loads(line)["logits"] for line in lines])


@torch.no_grad()
def logits(model, tokenizer):
    model.eval()
    return torch.cat([model(**tokenizer(text, return_tensors="pt")).logits for text in TEXTS])


def loaded(folder):
    """The model of a folder, which must have every tensor."""
    model, info = BertForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["mismatched_keys"], info
    return model


def check(kind, folder):
    base = folder / "base"
    make_model(base, kind)
    (folder / "train.tsv").write_text("text\tlabel\n" + "a good film\t1\nthe story was bad\t0\n" * 8)
    (folder / "run.yaml").write_text(
        f"model: {base}\ndata: {{ train: {folder}/train.tsv, max_length: 32 }}\noutput: {folder}/adalora\ntotal_step: 20\n"
        "batch_size: 8\noptimizer: { lr: 1.0e-2, warmup_steps: 2 }\n")
    train = ["train", "--config", folder / "run.yaml"]
    adapter = ["init_r=4", "target_r=2", "tinit=2", "tfinal=4", "deltaT=2"]
    rankwise(*train, *(part for setting in adapter for part in ["--set", "adapter." + setting]))
    for method in ["full", "head"]:
        rankwise(*train, "--set", f"method={method}", "--set", f"output={folder}/{method}")
    rankwise("export", folder / "adalora", "--format", "lora", "--output", folder / "lora")
    rankwise("export", folder / "adalora", "--format", "merged", "--output", folder / "merged")

    tokenizer = BertTokenizer.from_pretrained(base)
    differences = {}
    for name, path in [("adalora", folder / "adalora" / "adapter"), ("lora", folder / "lora")]:
        model = BertForSequenceClassification.from_pretrained(base, num_labels=2)
        ours = predicted("--adapter", path, "--model", base)
        differences[name] = (logits(PeftModel.from_pretrained(model, path), tokenizer) - ours).abs().max().item()
    for name, path in [("merged", folder / "merged"), ("full", folder / "full" / "model"), ("head", folder / "head" / "model")]:
        differences[name] = (logits(loaded(path), tokenizer) - predicted("--adapter", path)).abs().max().item()
    print(f"{kind:28s}" + "  ".join(f"{name} {difference:.1e}" for name, difference in differences.items()))
    assert max(differences.values()) < 1e-5


for kind in ["original", "BertForMaskedLM", "BertForQuestionAnswering", "BertForTokenClassification", "bare"]:
    with tempfile.TemporaryDirectory() as folder:
        check(kind, pathlib.Path(folder))
