"""Loads what PEFTFormat wrote with Hugging Face PEFT and transformers; run by hand, as it needs PyTorch.

    .venv/bin/pip install -r Tests/goldens/requirements.txt
    rankwise export RUN --format adalora --output exports/adalora          (and lora, lora-padded, merged)
    .venv/bin/python Tests/PEFTFormatTests/check_with_peft.py --base MODEL --original RUN/adapter \\
        --adalora exports/adalora --lora exports/lora --padded exports/lora-padded --merged exports/merged

The original may be an adapter that PEFT itself wrote. Its logits on random token ids are compared with those of every
folder given; with `--adalora`, its tensors must also come back byte for byte.
"""

import argparse
import os
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file

WEIGHTS = "adapter_model.safetensors"


@torch.no_grad()
def logits_of(model, ids):
    return model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids)).logits


def with_adapter(base, folder):
    """The base model with an adapter, and a complaint for each key that PEFT misses or does not know."""
    head = load_file(os.path.join(folder, WEIGHTS))["base_model.model.classifier.weight"]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=head.shape[0], dtype=torch.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(model, folder)
    # PEFT takes the rank_pattern of its own ADALORA files for that of a LoRA, too, and finds it strange.
    adalora = model.peft_config["default"].peft_type == "ADALORA"
    complaints = [text for text in (str(item.message) for item in caught)
                  if "key" in text.lower() and not (adalora and text.startswith("The following rank_pattern keys"))]
    if complaints:
        sys.exit(f"{folder}: {complaints[0]}")
    return model


def merged(folder):
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    faults = {key: value for key, value in report.items() if value and key != "unexpected_keys"}
    if faults:
        sys.exit(f"{folder}: {faults}")
    if model.dtype != torch.float32:
        sys.exit(f"{folder}: loads as {model.dtype}, expected float32")
    return model


def check_same_tensors(original, written):
    theirs, ours = (load_file(os.path.join(folder, WEIGHTS)) for folder in (original, written))
    if theirs.keys() != ours.keys():
        sys.exit(f"{written}: other names: {sorted(theirs.keys() ^ ours.keys())[:3]}")
    for name, tensor in theirs.items():
        if tensor.shape != ours[name].shape or tensor.numpy().tobytes() != ours[name].numpy().tobytes():
            sys.exit(f"{written}: '{name}' differs from the original's")
    print(f"adalora: {len(ours)} tensors, byte for byte the original's")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="folder of the base model")
    parser.add_argument("--original", required=True, help="folder of the adapter that was written anew")
    for kind in ["adalora", "lora", "padded", "merged"]:
        parser.add_argument(f"--{kind}", help=f"folder written as {kind}")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="largest difference of a logit (1e-5)")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    vocabulary = transformers.AutoConfig.from_pretrained(arguments.base).vocab_size
    ids = torch.randint(0, vocabulary, (16, 24), generator=torch.Generator().manual_seed(0))
    with_original = with_adapter(arguments.base, arguments.original)
    expected = logits_of(with_original, ids)
    # An adapter that does nothing would pass every comparison.
    with with_original.disable_adapter():
        effect = (logits_of(with_original, ids) - expected).abs().max().item()
    print(f"original: logits from {expected.min():.4f} to {expected.max():.4f}; without it, up to {effect:.2e} away")
    if arguments.adalora:
        check_same_tensors(arguments.original, arguments.adalora)
    failed = effect < 100 * arguments.tolerance
    for kind in ["adalora", "lora", "padded", "merged"]:
        folder = getattr(arguments, kind)
        if folder is None:
            continue
        model = merged(folder) if kind == "merged" else with_adapter(arguments.base, folder)
        distance = (logits_of(model, ids) - expected).abs().max().item()
        print(f"{kind}: largest difference of a logit {distance:.2e}")
        failed = failed or not distance <= arguments.tolerance
    if failed:
        sys.exit(f"a difference is larger than {arguments.tolerance:.0e}, or the adapter does nothing")


if __name__ == "__main__":
    main()
