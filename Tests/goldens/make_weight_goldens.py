"""Writes Tests/Fixtures/weight-methods-golden.json with PyTorch: what each weight method gives, edges included.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt
    .venv/bin/python Tests/goldens/make_weight_goldens.py

Inputs are float32. Results of float64 arithmetic are rounded to float32; where PyTorch offers the method in float32 alone
(the optimisers), they are float32's.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

PATH = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "weight-methods-golden.json"


def matrix(tensor):
    assert tensor.dim() == 2
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def quantized(w, bits):
    w = w.double()
    low, high = w.min(), w.max()
    if low == high:
        return w.float()
    levels = 2**bits - 1
    return (torch.round((w - low) / (high - low) * levels) * (high - low) / levels + low).float()


def grouped(w, bits, group):
    return torch.cat([torch.cat([quantized(part, bits) for part in row.split(group)])[None] for row in w])


def optimised(make, weights, gradient):
    parameter = torch.nn.Parameter(weights.clone())
    parameter.grad = gradient.clone()
    make([parameter]).step()
    return parameter.detach()


def unit_row(w, rate, decay):
    w = w.double()
    norm = w.norm(dim=1, keepdim=True).clamp_min(1e-8)
    return (w - rate * decay * w * ((1 / norm - 1) if decay < 0 else 1)).float()


def with_spectrum(values, rows, columns):
    u, _ = torch.linalg.qr(torch.randn(rows, len(values), dtype=torch.float64))
    v, _ = torch.linalg.qr(torch.randn(columns, len(values), dtype=torch.float64))
    return (u @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ v.T).float()


def main():
    torch.manual_seed(20)
    w = torch.randn(5, 7)
    w[3] = 0
    w[1, 2] = 0.5
    w[4, 0] = -0.5
    gradient = torch.randn(5, 7)
    gradient[0, 0] = 0
    spectral = {
        "random": torch.randn(40, 24),
        "wide": torch.randn(9, 70),
        "close": with_spectrum([3.0, 2.9999997, 2.9999, 1, 0.5], 30, 20),
        "equal": with_spectrum([2.0, 2.0, 2.0], 12, 16),
        "row": torch.randn(1, 13),
        "zero": torch.zeros(4, 6),
    }
    halves = torch.arange(0, 8, dtype=torch.float32).reshape(2, 4) / 2
    result = {
        "weights": matrix(w),
        "gradient": matrix(gradient),
        "normalized": matrix(F.normalize(w.double(), dim=1).float()),
        "clipped": matrix(torch.clamp(w, -0.75, 0.75)),
        "sparse": matrix(torch.where(w.abs() >= 0.5, w, 0)),
        "spectral": {
            name: {"weights": matrix(a), "norm": torch.linalg.matrix_norm(a.double(), 2).item()}
            for name, a in spectral.items()
        },
        "quantized": {
            str(bits): {"whole": matrix(quantized(w, bits)), "grouped": matrix(grouped(w, bits, 3))} for bits in range(1, 17)
        },
        "halves": {"weights": matrix(halves), "quantized": matrix(quantized(halves, 2))},
        "sgd": matrix(optimised(lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.3), w, gradient)),
        "decoupled": matrix(optimised(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.3), w, gradient)),
        "l2": matrix(optimised(lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.3), w, gradient)),
        "unit_row_growth": matrix(unit_row(w, 0.1, -0.7)),
        "unit_row_decay": matrix(unit_row(w, 0.1, 0.7)),
        "deviations": {
            "x".join(map(str, shape)): {
                "xavier": math.sqrt(2.0 / sum(torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape)))),
                "he": math.sqrt(2.0) / math.sqrt(torch.nn.init._calculate_correct_fan(torch.empty(shape), "fan_in")),
            }
            for shape in [(3, 5), (64, 3, 7, 7), (384, 1536)]
        },
    }
    assert torch.equal(F.normalize(w, dim=1)[3], torch.zeros(7))
    PATH.write_text(json.dumps(result, sort_keys=True) + "\n")


main()
