"""Compares rankwise with Hugging Face PEFT; run by hand, as it needs PyTorch.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt

`logits`: do PEFT and transformers compute from the exported files what `rankwise predict` prints?

    head -n 200 texts.txt | rankwise predict --adapter runs/quickstart > predictions.jsonl
    rankwise export runs/quickstart --format lora --output exports/lora          (and lora-padded, merged)
    .venv/bin/python Tests/goldens/compare_with_peft.py logits --model data/minilm --adapter runs/quickstart/adapter \\
        --lora exports/lora --padded exports/padded --merged exports/merged \\
        --texts texts.txt --predictions predictions.jsonl

`train`: what does PEFT's own AdaLoRA reach with the same configuration and data, and how fast?

    .venv/bin/python Tests/goldens/compare_with_peft.py train --config launch/movie-reviews.yaml --seed 0
"""

import argparse
import json
import os
import pathlib
import random
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import torch
import transformers
import yaml
from peft import AdaLoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file


# Logits of exported files


def read_texts(path):
    """(text, pair or None) of each line: as it stands, or a JSON object with `text` and perhaps `text_pair`."""
    samples = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n"):
        entry = json.loads(line) if line.startswith("{") else {"text": line}
        samples.append((entry["text"], entry.get("text_pair")))
    return samples


@torch.no_grad()
def logits_of(model, tokenizer, samples, max_length, batch_size=32):
    """Logits [samples, classes], in padded batches."""
    model.eval()
    parts = []
    for start in range(0, len(samples), batch_size):
        batch = samples[start:start + batch_size]
        pairs = [pair for _, pair in batch]
        encoded = tokenizer(
            [text for text, _ in batch], None if None in pairs else pairs, truncation=True, max_length=max_length,
            padding="longest", return_tensors="pt")
        parts.append(model(**encoded).logits)
    return torch.cat(parts)


def base_model(folder, labels):
    return transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=labels)


def compare_logits(arguments):
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model)
    samples = read_texts(arguments.texts)
    predictions = [json.loads(line) for line in open(arguments.predictions, encoding="utf-8") if line.strip()]
    if len(predictions) != len(samples):
        sys.exit(f"{arguments.predictions}: {len(predictions)} predictions, expected {len(samples)}, one for each text")
    ours = torch.tensor([item["logits"] for item in predictions])

    worst = 0.0
    for kind in ["adapter", "lora", "padded", "merged"]:
        folder = getattr(arguments, kind)
        if folder is None:
            continue
        if kind == "merged":
            model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
        else:
            # The head comes with the adapter, so the base model's own is of no consequence but for its shape.
            weights = load_file(pathlib.Path(folder) / "adapter_model.safetensors")
            labels = weights["base_model.model.classifier.weight"].shape[0]
            model = PeftModel.from_pretrained(base_model(arguments.model, labels), folder)
        theirs = logits_of(model, tokenizer, samples, arguments.max_length)
        if theirs.shape != ours.shape:
            sys.exit(f"{folder}: {theirs.shape[1]} logits for each text, the predictions have {ours.shape[1]}")
        distances = (theirs - ours).abs().amax(dim=1)
        text = distances.argmax().item()
        agree = (theirs.argmax(dim=1) == ours.argmax(dim=1)).sum().item()
        print(f"{kind}: largest difference of a logit {distances[text]:.2e} (text {text + 1}), "
              f"same class for {agree} of {len(samples)} texts; logits from {ours.min():.3f} to {ours.max():.3f}")
        worst = max(worst, distances[text].item())
    if worst > arguments.tolerance:
        sys.exit(f"the largest difference is {worst:.2e}, allowed are {arguments.tolerance:.0e}")


# PEFT's own training


def read_table(path, text_column, label_column):
    lines = pathlib.Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    columns = lines[0].split("\t")
    text, label = columns.index(text_column), columns.index(label_column)
    rows = [line.split("\t") for line in lines[1:]]
    return [row[text] for row in rows], torch.tensor([int(row[label]) for row in rows])


def sample_stream(count, seed, shuffle):
    """Sample indices without end, epoch after epoch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(count, generator=generator).tolist() if shuffle else range(count)


def learning_rate(step, settings, total_step):
    """rankwise's linear schedule with warm-up."""
    warm_up = settings["warmup_steps"]
    rise = min(1, (step + 1) / warm_up) if warm_up > 0 else 1
    return settings["lr"] * rise * (total_step - step) / total_step


def adalora_model(configuration, classes):
    adapter = configuration["adapter"]
    more = {}
    if configuration.get("dropout") is not None:
        more = {"hidden_dropout_prob": configuration["dropout"],
                "attention_probs_dropout_prob": configuration["dropout"]}
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        configuration["model"], num_labels=classes, **more)
    keys = ["init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "lora_alpha",
            "lora_dropout", "target_modules"]
    return get_peft_model(model, AdaLoraConfig(
        task_type="SEQ_CLS", total_step=configuration["total_step"], **{key: adapter[key] for key in keys}))


def accuracy(model, tokenizer, path, data):
    texts, labels = read_table(path, data["text"], data["label"])
    # By length, so that little of a batch is padding.
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    logits = logits_of(model, tokenizer, [(texts[index], None) for index in order], data["max_length"])
    return (logits.argmax(dim=1) == labels[order]).double().mean().item()


def train(arguments):
    configuration = yaml.safe_load(open(arguments.config, encoding="utf-8"))
    data, settings = configuration["data"], configuration["optimizer"]
    if configuration["task"] != "sequence-classification" or settings["schedule"] != "linear":
        sys.exit(f"{arguments.config}: this comparison knows sequence-classification and the linear schedule only")
    if arguments.data:
        configuration["model"] = f"{arguments.data}/minilm"
        for split in ["train", "validation", "test"]:
            data[split] = f"{arguments.data}/movie-reviews/{split}.tsv"
    seed = configuration["seed"] if arguments.seed is None else arguments.seed
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    tokenizer = transformers.AutoTokenizer.from_pretrained(configuration["model"])
    texts, labels = read_table(data["train"], data["text"], data["label"])
    model = adalora_model(configuration, int(labels.max()) + 1)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        trained, lr=settings["lr"], weight_decay=settings.get("weight_decay", 0.0),
        betas=(settings.get("beta1", 0.9), settings.get("beta2", 0.999)), eps=settings.get("epsilon", 1e-8))
    stream = sample_stream(len(texts), seed, data["shuffle"])
    total_step = configuration["total_step"]
    steps = min(total_step, arguments.steps or total_step)
    model.train()
    seconds = []
    for step in range(steps):
        start = time.perf_counter()
        batch = [next(stream) for _ in range(configuration["batch_size"])]
        encoded = tokenizer(
            [texts[index] for index in batch], truncation=True, max_length=data["max_length"], padding="longest",
            return_tensors="pt")
        # PEFT adds its orthogonality term to this loss.
        loss = model(**encoded, labels=labels[batch]).loss
        loss.backward()
        if settings.get("max_grad_norm"):
            torch.nn.utils.clip_grad_norm_(trained, settings["max_grad_norm"])
        optimiser.param_groups[0]["lr"] = learning_rate(step, settings, total_step)
        optimiser.step()
        model.base_model.update_and_allocate(step)
        optimiser.zero_grad()
        seconds.append(time.perf_counter() - start)
        if step % 50 == 49 or step == steps - 1:
            print(f"step {step} of {total_step}: loss {loss.item():.4f}, active {active_triplets(model)}, "
                  f"{sum(seconds) / len(seconds):.3f} s/step", file=sys.stderr)
    if arguments.output:
        model.save_pretrained(arguments.output)
    print(json.dumps({
        "seed": seed, "steps": steps, "total_rank": active_triplets(model), "threads": torch.get_num_threads(),
        "seconds_per_step": round(sum(seconds) / len(seconds), 4),
        "median_seconds_per_step": round(sorted(seconds)[len(seconds) // 2], 4),
        "validation_accuracy": round(accuracy(model, tokenizer, data["validation"], data), 4),
        "test_accuracy": round(accuracy(model, tokenizer, data["test"], data), 4)}))


def active_triplets(model):
    return sum(int((item != 0).sum()) for name, item in model.named_parameters() if "lora_E" in name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)

    logits = modes.add_parser("logits", help="compare exported files with the output of rankwise predict")
    logits.add_argument("--model", required=True, help="folder of the base model")
    logits.add_argument("--adapter", required=True, help="folder of the adapter in PEFT's ADALORA format")
    logits.add_argument("--lora", help="folder exported as lora")
    logits.add_argument("--padded", help="folder exported as lora-padded")
    logits.add_argument("--merged", help="folder exported as merged")
    logits.add_argument("--texts", required=True, help="what was given to predict: a text or a JSON object a line")
    logits.add_argument("--predictions", required=True, help="what predict printed")
    logits.add_argument("--max-length", type=int, default=128, help="tokens of a sample (128)")
    logits.add_argument("--tolerance", type=float, default=1e-4, help="largest difference allowed (1e-4)")

    training = modes.add_parser("train", help="train with PEFT, as the configuration says")
    training.add_argument("--config", required=True, help="a configuration of rankwise train")
    training.add_argument("--data", help="where launch/fetch-data.sh put model and data, instead of the paths there")
    training.add_argument("--seed", type=int, help="instead of the configuration's")
    training.add_argument("--steps", type=int, help="stop after so many steps")
    training.add_argument("--threads", type=int, help="threads of PyTorch")
    training.add_argument("--output", help="folder for the adapter")

    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    {"logits": compare_logits, "train": train}[arguments.mode](arguments)


if __name__ == "__main__":
    main()
