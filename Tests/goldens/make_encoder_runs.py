"""Writes Tests/Fixtures/encoders/runs: 30 steps of PEFT's AdaLoRA on small encoders, to be followed step by step.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt
    .venv/bin/python Tests/goldens/make_encoder_runs.py

`rows.tsv` has the texts. Of each family: its tokenizer beside the model of make_encoder_goldens.py (trained once; trainers do
not give the same twice), the adapter before the first step, and what every step gave. Nothing is dropped.
"""

import json
import os
import pathlib
import random
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"

import tokenizers
import torch
import transformers
from peft import AdaLoraConfig, get_peft_model

ENCODERS = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "encoders"
RUNS = ENCODERS / "runs"
STEPS, BATCH, RATE, WARM_UP = 30, 8, 0.02, 4
BERT_LAYERS = ["attention.output.dense", "intermediate.dense", "output.dense"]
# Name: special tokens in the order of their ids, the kind of tokenizer, adapted and saved modules.
FAMILIES = {
    "tiny-roberta": (["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "bpe", ["query", "key", "value"] + BERT_LAYERS, None),
    "tiny-deberta-v3": (["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "unigram",
                        ["query_proj", "key_proj", "value_proj"] + BERT_LAYERS, ["pooler"]),
    "tiny-modernbert": (["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "bpe",
                        ["attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"], ["head"]),
}
WORDS = {
    "good": ["great", "good", "love", "best", "fine", "funny"], "bad": ["bad", "dull", "sad", "worst", "long", "poor"],
    None: "the a film movie story actor plot scene music was is this it and with of to in very one old new".split(),
}


def rows():
    generator = random.Random(5)
    result = []
    for _ in range(STEPS * BATCH):
        label = generator.choice(["good", "bad"])
        words = generator.choices(WORDS[None], k=generator.randint(1, 18))
        for _ in range(generator.randint(1, 2)):
            words.insert(generator.randrange(len(words) + 1), generator.choice(WORDS[label]))
        result.append((" ".join(words) + generator.choice([".", "!", ""]), label))
    return result


def make_tokenizer(folder, special, kind, texts):
    if (folder / "tokenizer.json").exists():
        return
    start, end, unknown = (special[0], special[2], special[3]) if special[0] == "<s>" else (special[1], special[2], special[3])
    if kind == "bpe":
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=unknown))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="first")
        tokenizer.decoder = tokenizers.decoders.Metaspace(prepend_scheme="first")
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=125, special_tokens=special)
    else:
        tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
        tokenizer.normalizer = tokenizers.normalizers.Sequence(
            [tokenizers.normalizers.NFKC(), tokenizers.normalizers.Strip(),
             tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
        tokenizer.decoder = tokenizers.decoders.Metaspace()
        trainer = tokenizers.trainers.UnigramTrainer(vocab_size=125, special_tokens=special, unk_token=unknown)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{start} $A {end}", pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(start, tokenizer.token_to_id(start)), (end, tokenizer.token_to_id(end))])
    tokenizer.save(str(folder / "tokenizer.json"))


def configuration_without_dropout(folder):
    configuration = transformers.AutoConfig.from_pretrained(folder, num_labels=2)
    for key in list(vars(configuration)):
        if "dropout" in key or key.endswith("dropout_prob"):
            setattr(configuration, key, 0.0)
    configuration.cls_dropout = 0.0
    return configuration


def run(name, texts, labels):
    special, kind, layers, saved = FAMILIES[name]
    folder, output = ENCODERS / name, RUNS / name
    make_tokenizer(folder, special, kind, texts)
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=special.index("<pad>" if "<pad>" in special else "[PAD]"))
    torch.manual_seed(3)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, config=configuration_without_dropout(folder), dtype=torch.float32)
    peft = get_peft_model(model, AdaLoraConfig(
        task_type="SEQ_CLS", init_r=4, target_r=2, tinit=4, tfinal=8, deltaT=3, lora_alpha=16, lora_dropout=0.0,
        orth_reg_weight=0.1, total_step=STEPS, target_modules=layers, modules_to_save=saved,
        exclude_modules=None if saved is None else [f"{saved[0]}.dense"]))
    shutil.rmtree(output, ignore_errors=True)
    peft.save_pretrained(output / "init")
    (output / "init" / "README.md").unlink(missing_ok=True)
    trained = [parameter for parameter in peft.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    peft.train()
    steps = []
    for step in range(STEPS):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        encoded = tokenizer.encode_batch(texts[batch])
        ids = torch.tensor([item.ids for item in encoded])
        mask = torch.tensor([item.attention_mask for item in encoded])
        output_ = peft(input_ids=ids, attention_mask=mask, labels=torch.tensor(labels[batch]))
        with torch.no_grad():
            task = torch.nn.functional.cross_entropy(output_.logits, torch.tensor(labels[batch])).item()
        output_.loss.backward()
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in trained if p.grad is not None)).item()
        rate = RATE * min(1, (step + 1) / WARM_UP) * (STEPS - step) / STEPS
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
        budget, pattern = peft.base_model.rankallocator.budget_schedule(step)
        peft.base_model.update_and_allocate(step)
        optimiser.zero_grad()
        active = sum(int((item != 0).sum()) for key, item in peft.named_parameters() if "lora_E" in key)
        steps.append({"step": step, "task_loss": task, "loss": output_.loss.item(), "lr": rate, "grad_norm": norm,
                      "budget": budget, "active": active})
    # The paths without PEFT's prefix.
    kept = {key.replace("base_model.model.", "").replace(".default", ""): value
            for key, value in peft.peft_config["default"].rank_pattern.items()}
    golden = {"made_by": "Tests/goldens/make_encoder_runs.py", "steps": steps, "rank_pattern": kept}
    lines = [f"{json.dumps(key)}:{json.dumps(item, separators=(',', ':'))}" for key, item in golden.items()]
    (output / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for path in [*output.rglob("*"), *folder.glob("tokenizer*")]:
        if path.is_file():
            path.chmod(0o644)
    print(name, steps[0]["loss"], steps[-1]["loss"], [item["active"] for item in steps])


RUNS.mkdir(exist_ok=True)
samples = rows()
(RUNS / "rows.tsv").write_text(
    "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in samples), encoding="utf-8")
names = sorted({label for _, label in samples})
for family in FAMILIES:
    run(family, [text for text, _ in samples], [names.index(label) for _, label in samples])
