"""Trains a configuration of rankwise with Hugging Face PEFT and PyTorch, and says how fast that went.

    pip install -r Tests/goldens/requirements.txt
    python launch/rival/peft_train.py --config launch/movie-reviews.yaml --processes 2 --steps 30 [--json]

AdaLoRA is PEFT's, with `update_and_allocate` after each optimiser step as its documentation says; processes share the
gradients by DistributedDataParallel over gloo. Every doubt is settled in PEFT's favour: one process goes without
DistributedDataParallel, buffers are not broadcast, the optimiser is the fused AdamW that transformers' Trainer takes,
rows are tokenised before the steps that are measured, and only those that are needed.

`--group-by-length` draws the batches as the Trainer does with that sampling strategy: shuffled, cut into megabatches,
and sorted by length within each. The measured batches are then taken at even distances from an epoch's, ordered by what
they cost, so that a few of them stand for all.

PEFT knows the orthogonality term and the sensitivity of its own only: the run compares with rankwise's under
`adapter.orthogonality=peft` and `adapter.sensitivity_at=update`.

Printed, of the measured steps: samples and real tokens a second (over all of them together: the fair figure where steps
differ in length), the median seconds of a step, the share of padding; and the highest resident memory of a process, and
the seconds from the start of the program to the end of the first step.
"""

import time

# Before the imports, which count.
STARTED = time.time()

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import warnings

THREAD_VARIABLES = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
ADAPTER_KEYS = ["init_r", "target_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "lora_alpha",
                "lora_dropout", "target_modules"]


def with_number(value):
    """The number that a text is: PyYAML takes 5e-3, without a point, for a text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def read_configuration(path, settings):
    """The configuration, with the keys that `--set key=value` replaces."""
    import yaml

    configuration = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            sys.exit(f"--set {setting}: expected key=value")
        *sections, name = key.split(".")
        place = configuration
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = yaml.safe_load(value)
    for section in ["adapter", "optimizer"]:
        configuration[section] = {key: with_number(value) for key, value in configuration[section].items()}
    schedule = configuration["optimizer"].get("schedule", "linear")
    if configuration["task"] != "sequence-classification" or schedule != "linear":
        sys.exit(f"{path}: this comparison knows the task sequence-classification and the linear schedule only")
    missing = [key for key in ADAPTER_KEYS if key not in configuration["adapter"]]
    if missing:
        sys.exit(f"{path}: adapter.{missing[0]} is missing; PEFT's own default may differ from rankwise's")
    return configuration


def read_table(path, text_column, label_column):
    lines = pathlib.Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    columns = lines[0].split("\t")
    text, label = columns.index(text_column), columns.index(label_column)
    rows = [line.split("\t") for line in lines[1:]]
    return [row[text] for row in rows], [int(row[label]) for row in rows]


def adalora_model(configuration, classes):
    import torch
    import transformers
    from peft import AdaLoraConfig, get_peft_model

    dropout = configuration.get("dropout")
    more = {} if dropout is None else {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        configuration["model"], num_labels=classes, dtype=torch.float32, **more)
    adapter = configuration["adapter"]
    return get_peft_model(model, AdaLoraConfig(
        task_type="SEQ_CLS", total_step=configuration["total_step"], **{key: adapter[key] for key in ADAPTER_KEYS}))


def learning_rate(step, optimizer, total_step):
    """rankwise's linear schedule with warm-up."""
    warm_up = optimizer.get("warmup_steps", 0)
    rise = min(1, (step + 1) / warm_up) if warm_up > 0 else 1
    return optimizer["lr"] * rise * (total_step - step) / total_step


def epoch_batches(count, batch_size, generator, lengths=None, process_batch_size=None):
    """The global batches of an epoch, full ones only; process p takes the p-th part of each.

    With `lengths`, the order is that of the Trainer's sampler, which knows the batch of one process alone.
    """
    import torch

    if lengths is None:
        order = torch.randperm(count, generator=generator).tolist()
    else:
        from transformers.trainer_pt_utils import get_length_grouped_indices

        order = get_length_grouped_indices(lengths, process_batch_size, generator=generator)
    return [order[start:start + batch_size] for start in range(0, count - batch_size + 1, batch_size)]


def even_sample(batches, count, cost, generator):
    """`count` of the batches that stand for all: at even distances in the order of their cost, then shuffled."""
    import torch

    ranked = sorted(batches, key=cost)
    sample = [ranked[(2 * index + 1) * len(ranked) // (2 * count)] for index in range(count)]
    return [sample[index] for index in torch.randperm(count, generator=generator)]


def peak_memory():
    """Bytes of memory that this process held at most."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    sys.exit("/proc/self/status has no VmHWM")


def train(arguments, process, processes):
    """One process of the job; the figures if it is process 0, else None."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore", FutureWarning)
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    configuration = read_configuration(arguments.config, arguments.set)
    data, optimizer, seed = configuration["data"], configuration["optimizer"], configuration["seed"]
    total_step, batch_size = configuration["total_step"], configuration["batch_size"]
    needed = arguments.warm_up + arguments.steps
    if batch_size % processes:
        sys.exit(f"batch_size is {batch_size}, which {processes} processes cannot share evenly")
    if needed > total_step:
        sys.exit(f"--warm-up and --steps ask for {needed} steps, but total_step is {total_step}")
    if processes > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=os.environ["RIVAL_MEETING"], rank=process, world_size=processes)

    # Batches
    tokenizer = transformers.AutoTokenizer.from_pretrained(configuration["model"])
    texts, labels = read_table(data["train"], data["text"], data["label"])
    generator = torch.Generator().manual_seed(seed)
    share = batch_size // processes
    if len(texts) < batch_size:
        sys.exit(f"{data['train']}: {len(texts)} rows, fewer than the batch_size of {batch_size}")

    def tokenised(indices):
        rows = tokenizer([texts[index] for index in indices], truncation=True, max_length=data["max_length"])
        return dict(zip(indices, map(torch.tensor, rows["input_ids"])))

    def parts_of(batch):
        return [batch[start:start + share] for start in range(0, batch_size, share)]

    def computed_tokens(batch):
        return sum(max(len(rows[index]) for index in part) * share for part in parts_of(batch))

    rows = tokenised(range(len(texts))) if arguments.group_by_length else {}
    lengths = [len(rows[index]) for index in range(len(texts))] if rows else None
    batches = []
    while len(batches) < needed:
        batches += epoch_batches(len(texts), batch_size, generator, lengths, share)
    if rows:
        batches[arguments.warm_up:] = even_sample(batches, arguments.steps, computed_tokens, generator)
    else:
        batches = batches[:needed]
        rows = tokenised(sorted({index for batch in batches for index in batch}))

    def inputs_of(indices):
        ids = [rows[index] for index in indices]
        count = torch.tensor([len(row) for row in ids])
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=tokenizer.pad_token_id)
        mask = (torch.arange(padded.shape[1]) < count[:, None]).long()
        return {"input_ids": padded, "attention_mask": mask, "labels": torch.tensor([labels[i] for i in indices])}

    # Model
    torch.manual_seed(seed)
    model = adalora_model(configuration, max(labels) + 1)
    model.train()
    forward = model
    if processes > 1:
        forward = torch.nn.parallel.DistributedDataParallel(
            model, forward_sync_buffers=False, gradient_as_bucket_view=True)
    torch.manual_seed(seed + process)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    adamw = torch.optim.AdamW(
        trained, lr=optimizer["lr"], weight_decay=optimizer.get("weight_decay", 0.0), fused=True,
        betas=(optimizer.get("beta1", 0.9), optimizer.get("beta2", 0.999)), eps=optimizer.get("epsilon", 1e-8))

    # Steps
    seconds, first_step = [], None
    for step, batch in enumerate(batches):
        start = time.perf_counter()
        # PEFT adds its orthogonality term to this loss.
        loss = forward(**inputs_of(parts_of(batch)[process])).loss
        loss.backward()
        if optimizer.get("max_grad_norm"):
            torch.nn.utils.clip_grad_norm_(trained, optimizer["max_grad_norm"])
        adamw.param_groups[0]["lr"] = learning_rate(step, optimizer, total_step)
        adamw.step()
        model.base_model.update_and_allocate(step)
        adamw.zero_grad()
        seconds.append(time.perf_counter() - start)
        first_step = first_step or time.time() - arguments.started

    memory = torch.tensor([peak_memory()])
    if processes > 1:
        torch.distributed.all_reduce(memory, torch.distributed.ReduceOp.MAX)
        torch.distributed.destroy_process_group()
    if process != 0:
        return None

    # Figures
    measured, batches = seconds[arguments.warm_up:], batches[arguments.warm_up:]
    tokens = sum(len(rows[index]) for batch in batches for index in batch)
    computed = sum(map(computed_tokens, batches))
    values = [value for name, value in model.named_parameters() if "lora_E" in name]
    return {
        "program": "peft", "processes": processes, "group_by_length": arguments.group_by_length, "steps": len(measured),
        "samples_per_second": batch_size * len(measured) / sum(measured),
        "median_step_seconds": statistics.median(measured),
        "tokens_per_second": tokens / sum(measured),
        "tokens_per_step": tokens / len(measured),
        "padding_share": 1 - tokens / computed,
        "peak_memory_bytes": int(memory[0]),
        "first_step_seconds": first_step,
        "loss": loss.item(), "modules": len(values), "active_triplets": sum(int((v != 0).sum()) for v in values),
    }


def launch(arguments):
    """Runs this program once for each process of the job; the exit code of the first that failed, or 0."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ, "RIVAL_MEETING": f"file://{folder}/meeting", "RIVAL_STARTED": str(STARTED),
            # All processes are on this machine, whose own name need not lead anywhere.
            "GLOO_SOCKET_IFNAME": os.environ.get("GLOO_SOCKET_IFNAME", "lo")}
        children = [
            subprocess.Popen([sys.executable, *sys.argv], env={**environment, "RIVAL_PROCESS": str(process)})
            for process in range(arguments.processes)]
        try:
            while any(child.poll() is None for child in children) and not any(child.returncode for child in children):
                time.sleep(0.02)
        finally:
            for child in children:
                if child.poll() is None:
                    child.terminate()
                child.wait()
    return next((abs(child.returncode) for child in children if child.returncode), 0)


def as_text(figures):
    grouped = ", rows grouped by length" if figures["group_by_length"] else ""
    return "\n".join([
        f"PEFT on {figures['processes']} process(es), one thread each, {figures['steps']} steps{grouped}",
        f"  samples/s                {figures['samples_per_second']:.1f}",
        f"  seconds a step (median)  {figures['median_step_seconds']:.3f}",
        f"  real tokens/s            {figures['tokens_per_second']:.0f}  "
        f"({figures['tokens_per_step']:.0f} a step; {figures['padding_share']:.0%} of what is computed is padding)",
        f"  peak memory of a process {figures['peak_memory_bytes'] / 1e6:.0f} MB",
        f"  start to first step      {figures['first_step_seconds']:.1f} s",
        f"  {figures['modules']} modules, {figures['active_triplets']} triplets active at the end"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="a configuration of rankwise train")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replaces one of its keys")
    parser.add_argument("--processes", type=int, default=1, help="processes on this machine, one thread each (1)")
    parser.add_argument("--steps", type=int, default=30, help="steps that are measured (30)")
    parser.add_argument("--warm-up", type=int, default=3, help="steps before them (3)")
    parser.add_argument("--group-by-length", action="store_true", help="batches of rows of similar length")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    arguments = parser.parse_args()
    if min(arguments.processes, arguments.steps) < 1 or arguments.warm_up < 1:
        parser.error("--processes, --steps and --warm-up must be at least 1")
    arguments.started = float(os.environ.get("RIVAL_STARTED", STARTED))
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    # The launcher itself never imports PyTorch, which would take seconds.
    if arguments.processes > 1 and "RIVAL_PROCESS" not in os.environ:
        sys.exit(launch(arguments))
    figures = train(arguments, int(os.environ.get("RIVAL_PROCESS", 0)), arguments.processes)
    if figures:
        print(json.dumps(figures) if arguments.json else as_text(figures))


if __name__ == "__main__":
    main()
