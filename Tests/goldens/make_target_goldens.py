"""Writes Tests/Fixtures/target-golden.json: which modules PEFT adapts for `target_modules` and what goes with it.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt
    .venv/bin/python Tests/goldens/make_target_goldens.py
"""

import json
import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"

import transformers
from peft import LoraConfig, get_peft_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
MODELS = {"tiny-bert": FIXTURES / "tiny-bert", "tiny-distilbert": FIXTURES / "encoders" / "tiny-distilbert",
          "tiny-modernbert": FIXTURES / "encoders" / "tiny-modernbert"}
CASES = [
    ("tiny-bert", {"target_modules": ["query"]}),
    ("tiny-bert", {"target_modules": ["query", "value"]}),
    ("tiny-bert", {"target_modules": ["dense"]}),
    ("tiny-bert", {"target_modules": ["output.dense"]}),
    ("tiny-bert", {"target_modules": ["attention.output.dense", "bert.encoder.layer.1.output.dense"]}),
    ("tiny-bert", {"target_modules": "all-linear"}),
    ("tiny-bert", {"target_modules": ".*query"}),
    ("tiny-bert", {"target_modules": r".*\.(query|key)"}),
    ("tiny-bert", {"target_modules": r"bert\.encoder\.layer\.1\..*dense"}),
    ("tiny-bert", {"target_modules": r".*layer\.[01]\.attention\.self\.(?!key|drop)\w+"}),
    ("tiny-bert", {"target_modules": ["query", "key"], "exclude_modules": ["key"]}),
    ("tiny-bert", {"target_modules": "all-linear", "exclude_modules": ["pooler.dense"]}),
    ("tiny-bert", {"target_modules": "all-linear", "exclude_modules": r".*layer\.0\..*"}),
    ("tiny-bert", {"target_modules": ["query", "dense"], "layers_to_transform": [1]}),
    ("tiny-bert", {"target_modules": ["query", "dense"], "layers_to_transform": [0, 1]}),
    ("tiny-bert", {"target_modules": ["value", "output.dense"], "layers_to_transform": [0], "exclude_modules": ["attention.output.dense"]}),
    ("tiny-bert", {"target_modules": ["dense"], "layers_to_transform": [1]}),
    ("tiny-bert", {"target_modules": ["bert.encoder.layer.0.output.dense", "query"], "layers_to_transform": [1]}),
    ("tiny-bert", {"target_modules": "All-Linear", "exclude_modules": ["classifier"]}),
    ("tiny-bert", {"target_modules": "all-linear", "modules_to_save": ["pooler"]}),
    ("tiny-bert", {"target_modules": "all-linear", "modules_to_save": ["layer.1", "classifier"]}),
    ("tiny-bert", {"target_modules": ["query", "dense"], "modules_to_save": ["1.output.dense", "intermediate"]}),
    ("tiny-bert", {"target_modules": r".*\.(query|key|dense)", "exclude_modules": ["key"], "modules_to_save": ["pooler"]}),
    ("tiny-distilbert", {"target_modules": "all-linear", "exclude_modules": ["pre_classifier"]}),
    ("tiny-distilbert", {"target_modules": ["lin1", "ffn.lin2"]}),
    ("tiny-distilbert", {"target_modules": ["q_lin", "v_lin"], "layers_to_transform": [1]}),
    ("tiny-modernbert", {"target_modules": ["Wo"]}),
    ("tiny-modernbert", {"target_modules": ["attn.Wo"], "layers_to_transform": [2, 3]}),
    ("tiny-modernbert", {"target_modules": r".*\.(Wqkv|Wi)"}),
    ("tiny-modernbert", {"target_modules": "all-linear", "exclude_modules": ["head.dense"]}),
]


def adapted(name, settings):
    configuration = transformers.AutoConfig.from_pretrained(MODELS[name], num_labels=3)
    model = transformers.AutoModelForSequenceClassification.from_config(configuration)
    peft = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=1, **settings))
    return [path.removeprefix("base_model.model.") for path, module in peft.named_modules() if hasattr(module, "lora_A")]


lines = []
for name, settings in CASES:
    lines.append(json.dumps({"model": name, **settings, "modules": adapted(name, settings)}))
(FIXTURES / "target-golden.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
print(len(lines), "cases")
