"""Writes Tests/Fixtures/tiny-bert-pooler-adapter and tiny-bert-pooler-golden.json with PEFT: an adapter that brings its pooler.

    .venv/bin/python Tests/goldens/make_pooler_goldens.py

The base, tiny-bert, has a pooler of its own, which `modules_to_save` replaces.
"""

import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertForSequenceClassification, BertTokenizer

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
TEXTS = ["a good film", "the story was not very good .", "dull , sad", "an unknown xyz"]

base = FIXTURES / "tiny-bert"
model = BertForSequenceClassification.from_pretrained(base, num_labels=3)
torch.manual_seed(11)
model = get_peft_model(
    model, LoraConfig(task_type="SEQ_CLS", r=2, lora_alpha=4, target_modules=["query", "dense"],
                      modules_to_save=["classifier", "pooler"])).eval()
for parameter in model.parameters():
    if parameter.requires_grad:
        parameter.data += 0.2 * torch.randn_like(parameter)
folder = FIXTURES / "tiny-bert-pooler-adapter"
model.save_pretrained(folder)
(folder / "README.md").unlink()
configuration = folder / "adapter_config.json"
kept = json.loads(configuration.read_text()) | {"base_model_name_or_path": "tiny-bert"}
for key in ["target_modules", "modules_to_save"]:
    kept[key] = sorted(set(kept[key]))
configuration.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")

tokenizer = BertTokenizer.from_pretrained(base)
with torch.no_grad():
    logits = [model(**tokenizer(text, return_tensors="pt")).logits[0].tolist() for text in TEXTS]
(FIXTURES / "tiny-bert-pooler-golden.json").write_text(json.dumps({"texts": TEXTS, "logits": logits}, indent=1) + "\n")
