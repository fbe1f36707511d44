"""Writes what PEFT makes of LoRA adapters whose configurations say more than one rank, and how Python's `re` matches.

    .venv/bin/python Tests/goldens/make_adapter_goldens.py

Set up as make_goldens.py says; it needs Tests/Fixtures/tiny-bert and tiny-bert-golden.json, and gives the same bytes each time.

- Tests/Fixtures/tiny-bert-lora-patterns: an adapter whose modules have ranks 2 and 4, and patterns.json with configurations for
  it, as the text of adapter_config.json, since the order of keys counts. Each has PEFT's logits in float64.
- Tests/PEFTFormatTests/Fixtures/module-expressions.json: for expressions and paths, whether PEFT's rule matches.
- Tests/PEFTFormatTests/Fixtures/lora-starts.json: the configurations that PEFT writes for each `init_lora_weights`.
"""

import json
import os
import pathlib
import re
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora.config import CordaConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
UNITS = ROOT / "Tests" / "PEFTFormatTests" / "Fixtures"
MODEL = FIXTURES / "tiny-bert"
SEQUENCES = json.loads((FIXTURES / "tiny-bert-golden.json").read_text())["sequences"]


def base():
    torch.manual_seed(0)
    return transformers.AutoModelForSequenceClassification.from_pretrained(MODEL, num_labels=3).eval()


def write(path, contents):
    path.write_text(json.dumps({"made_by": "Tests/goldens/make_adapter_goldens.py", **contents}, indent=1) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


# Patterns of ranks and alphas

RANKS = [
    {"layer\\.0\\..*query": 2},
    {"^bert.encoder.layer.0.attention.self.query$": 2},
    {"bert.encoder.layer.0.attention.self.query": 2, "query": 4},
    {"(encoder|decoder)\\.layer\\.[0-9]\\.attention\\.self\\.value": 4, ".*\\.0\\.(?!.*value).*": 2},
]
ALPHAS = [
    {"layer\\.1\\..*(query|value)": 16},
    {"query": 16, "layer.0.attention.self.query": 4},
    {"layer.0.attention.self.query": 4, "query": 16},
    {"value|query": 3, "query": 16},
    {"layer.{3}attention\\.self\\.query": 5, "^.*value$": 7, "alue": 11},
    {"uery": 16},
]


def patterns():
    target = FIXTURES / "tiny-bert-lora-patterns"
    shutil.rmtree(target, ignore_errors=True)
    model = get_peft_model(
        base(),
        LoraConfig(
            task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["query", "value"], rank_pattern=RANKS[0],
            alpha_pattern=ALPHAS[0]))
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_" in name or "classifier" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    model.save_pretrained(target)
    (target / "README.md").unlink()
    for path in target.iterdir():
        path.chmod(0o644)
    configuration = json.loads((target / "adapter_config.json").read_text())
    configuration["base_model_name_or_path"] = "Tests/Fixtures/tiny-bert"
    (target / "adapter_config.json").write_text(json.dumps(configuration, indent=2) + "\n")
    cases = []
    for ranks in RANKS:
        for alphas in ALPHAS:
            text = json.dumps({**configuration, "rank_pattern": ranks, "alpha_pattern": alphas})
            cases.append({"configuration": text, "logits": logits(target, text)})
    write(target / "patterns.json", {"cases": cases})


def logits(adapter, configuration):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(adapter / "adapter_model.safetensors", folder)
        (pathlib.Path(folder) / "adapter_config.json").write_text(configuration)
        model = PeftModel.from_pretrained(base(), folder).double().eval()
    with torch.no_grad():
        return [
            [float(f"{value:.13g}") for value in model(
                input_ids=torch.tensor([item["input_ids"]]),
                token_type_ids=torch.tensor([item["token_type_ids"]])).logits[0].tolist()]
            for item in SEQUENCES
        ]


# Expressions

EXPRESSIONS = r"""
query
layer.0.attention.self.query
layer\.0\..*query
^bert.encoder.layer.1.*
^encoder.*
.*query$
(query|value)
query|value
(?:query|value)
layer\.(0|1)\.attention\.self\.(query|key)
layer\.[01]\..*
layer\.[^0]\..*key
layer\.[0-9]+\.output\.dense
layer\.1[0-9]?\.output\.dense
layer\.\d\.output\.dense
layer\.\d{2}\.output\.dense
layer\.\d{1,2}\.output\.dense
layer\.\d{,1}\.output\.dense
layer\.\d{2,}\.output\.dense
.{5}
.{5}?
\w+
\w+\.\w+
\W
[\w.]+
[\w-]+
[a-z.]*
[]a-z.]*
[^]0-9]+
[a\-z.]+
(layer\.)?1\.output\.dense
(?!.*query)layer\.0.*
.*(?=key)key
(?=.*self)layer\.0\..*
.*(?!query)
.*\bself\b.*
.*\Bself.*
\Aquery
\Abert.*
que.*\Z
(a|b|c)*query
((layer\.0)|(layer\.1))+\..*
(\w+\.)*dense
bert\.pooler\.dense

dense
.*
output\.dense
attention\.output\.dense
blocks\.0\.(mixer|mlp)\..*
mlp\.fc[12]
Query
a{2}uery
layer{0}
(layer\.11|layer\.1)\..*(self|output)\..*
""".split("\n")[1:-1]
# What Python takes, or does not, and this program refuses.
REFUSED = [
    r"(?P<n>query)", r"(?i:query)", r"(?<=self.)query", r"(query)\1", r"\3", "(query", "query)", "[query", "*query", "query**",
    "query++", r"\k", "(?>query)", "(?#a)query", "a{2}{3}", "^*query", "[z-a]", "query\\", "a{3,2}", "a{x}", r"\x41",
    r"[\b]", "(" * 40 + "a" + ")" * 40,
]
PATHS = """
bert.encoder.layer.0.attention.self.query
bert.encoder.layer.0.attention.self.key
bert.encoder.layer.1.attention.self.value
bert.encoder.layer.1.attention.output.dense
bert.encoder.layer.1.output.dense
bert.encoder.layer.11.output.dense
bert.encoder.layer.11.intermediate.dense
bert.pooler.dense
query
myquery
layer
blocks.0.mixer.proj
blocks.10.mlp.fc1
""".split()


def expressions():
    write(
        UNITS / "module-expressions.json",
        {
            "paths": PATHS,
            "expressions": {
                key: "".join("01"[bool(re.match(rf"(.*\.)?({key})$", path))] for path in PATHS) for key in EXPRESSIONS
            },
            "refused": REFUSED,
        })


# Starts


def starts():
    configurations = {}
    for start in [True, False, "gaussian", "orthogonal", "mica", "eva", "pissa", "pissa_niter_4", "olora", "corda", "lora_ga", "loftq"]:
        configuration = LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["query"])
        # Some need data, or packages, to start; what they write of it is this.
        configuration.init_lora_weights = start
        if start == "corda":
            configuration.corda_config = CordaConfig()
        configuration.base_model_name_or_path = "Tests/Fixtures/tiny-bert"
        with tempfile.TemporaryDirectory() as folder:
            configuration.save_pretrained(folder)
            configurations[json.dumps(start)] = json.loads((pathlib.Path(folder) / "adapter_config.json").read_text())
    invoked = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["query"], alora_invocation_tokens=[47])
    with tempfile.TemporaryDirectory() as folder:
        invoked.save_pretrained(folder)
        activated = json.loads((pathlib.Path(folder) / "adapter_config.json").read_text())
    write(UNITS / "lora-starts.json", {"starts": configurations, "activated": activated})


if __name__ == "__main__":
    patterns()
    expressions()
    starts()
