"""Times what a masking step of PEFT's AdaLoRA does to the adapter itself, without any network around it.

    pip install -r Tests/goldens/requirements.txt
    python launch/rival/peft_allocator.py [--shapes minilm|llama] [--rounds 20] [--json]

Three parts, on one thread: `RankAllocator.update_ipt`, `RankAllocator.mask_to_budget`, and the step of torch's AdamW
over the same parameters, plain (PyTorch's default) and fused (the Trainer's). PEFT's class runs unchanged on a tree of
modules that holds nothing but adapters, under the names that PEFT gives them, with random gradients. Printed are the
medians in milliseconds, to be set beside those of `rankwise bench update` and `rankwise bench select`.

    minilm   36 modules of all-MiniLM-L6-v2: 6 layers, hidden 384, feed-forward 1536
    llama    224 modules of a Llama of 7 billion parameters: 32 layers, hidden 4096, feed-forward 11008
"""

import argparse
import json
import statistics
import time

import torch
from peft import AdaLoraConfig
from peft.tuners.adalora.layer import RankAllocator
from torch import nn

ADAPTER = "default"
INITIAL_RANK, TARGET_RANK = 12, 4


def minilm_modules():
    """(path, outputs, inputs) of each adapted module."""
    hidden, feed_forward = 384, 1536
    for layer in range(6):
        path = f"bert.encoder.layer.{layer}"
        for name in ["query", "key", "value"]:
            yield f"{path}.attention.self.{name}", hidden, hidden
        yield f"{path}.attention.output.dense", hidden, hidden
        yield f"{path}.intermediate.dense", feed_forward, hidden
        yield f"{path}.output.dense", hidden, feed_forward


def llama_modules():
    """(path, outputs, inputs) of each adapted module."""
    hidden, feed_forward = 4096, 11008
    for layer in range(32):
        path = f"model.layers.{layer}"
        for name in ["q_proj", "k_proj", "v_proj", "o_proj"]:
            yield f"{path}.self_attn.{name}", hidden, hidden
        for name in ["gate_proj", "up_proj"]:
            yield f"{path}.mlp.{name}", feed_forward, hidden
        yield f"{path}.mlp.down_proj", hidden, feed_forward


SHAPES = {"minilm": minilm_modules, "llama": llama_modules}


class Adapter(nn.Module):
    """The adapter's part of PEFT's AdaLoRA layer, shaped and started as there, but for λ, which is not 0."""

    def __init__(self, outputs, inputs):
        super().__init__()
        shapes = {"lora_A": (INITIAL_RANK, inputs), "lora_E": (INITIAL_RANK, 1), "lora_B": (outputs, INITIAL_RANK)}
        for name, shape in shapes.items():
            setattr(self, name, nn.ParameterDict({ADAPTER: nn.Parameter(0.02 * torch.randn(shape))}))


def adapters_only(modules):
    """A tree of modules in which each path leads to an adapter."""
    root = nn.Module()
    for path, outputs, inputs in modules:
        *parents, name = path.split(".")
        place = root
        for parent in parents:
            if not hasattr(place, parent):
                place.add_module(parent, nn.Module())
            place = getattr(place, parent)
        place.add_module(name, Adapter(outputs, inputs))
    return root


def milliseconds(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def measure(shapes, rounds, warm_up):
    """Sizes, and the medians of all parts in milliseconds."""
    torch.manual_seed(0)
    model = adapters_only(SHAPES[shapes]())
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    allocator = RankAllocator(model, AdaLoraConfig(
        init_r=INITIAL_RANK, target_r=TARGET_RANK, tinit=1, tfinal=1, deltaT=1, total_step=1000), ADAPTER)
    budget = (allocator.init_bgt + allocator.target_bgt) // 2
    parts = {
        "update_ipt": lambda: allocator.update_ipt(model),
        "mask_to_budget": lambda: allocator.mask_to_budget(model, budget),
        "adamw": torch.optim.AdamW(parameters, lr=1e-4).step,
        "adamw_fused": torch.optim.AdamW(parameters, lr=1e-4, fused=True).step,
    }
    times = {name: [] for name in parts}
    # The parts take turns, as in training, so that none finds its own state in the cache.
    for _ in range(warm_up + rounds):
        for name, work in parts.items():
            times[name].append(milliseconds(work))
    figures = {
        "shapes": shapes, "modules": len(allocator.name_set), "triplets": allocator.init_bgt, "budget": budget,
        "entries": sum(parameter.numel() for parameter in parameters), "rounds": rounds,
    }
    medians = {name: statistics.median(values[warm_up:]) for name, values in times.items()}
    allocation = medians["update_ipt"] + medians["mask_to_budget"]
    figures["milliseconds"] = {
        **medians, "total": allocation + medians["adamw"], "total_fused": allocation + medians["adamw_fused"]}
    return figures


def as_text(figures):
    lines = [f"{figures['shapes']}: {figures['modules']} modules, {figures['triplets']} triplets, "
             f"{figures['entries']} entries, {figures['rounds']} rounds, one thread"]
    lines += [f"  {name:<15}{value:>9.2f} ms" for name, value in figures["milliseconds"].items()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", choices=list(SHAPES), help="one set of shapes only (both)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds that are measured (20)")
    parser.add_argument("--warm-up", type=int, default=3, help="rounds before them (3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each set of shapes")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.warm_up < 1:
        parser.error("--rounds and --warm-up must be at least 1")
    torch.set_num_threads(1)
    for shapes in [arguments.shapes] if arguments.shapes else SHAPES:
        figures = measure(shapes, arguments.rounds, arguments.warm_up)
        print(json.dumps(figures) if arguments.json else as_text(figures), flush=True)


if __name__ == "__main__":
    main()
