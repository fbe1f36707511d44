"""Compares an adapter that `rankwise extract` wrote, as PEFT loads it, with the difference of the two models.

    .venv/bin/python Tests/goldens/check_extracted_with_peft.py BASE TUNED ADAPTER

Prints, for every adapted layer, how far PEFT's own ΔW is from the best approximation of its rank (NumPy's singular value
decomposition of the difference, in double precision); fails above 1e-5, the rounding of single precision at entries of about 1.
Then compares the logits of the two models where the adapter is said to be exact (a fourth argument, `exact`).
"""

import sys

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification

base_path, tuned_path, adapter_path = sys.argv[1:4]
tuned = AutoModelForSequenceClassification.from_pretrained(tuned_path).eval()
labels = tuned.config.num_labels
base = AutoModelForSequenceClassification.from_pretrained(base_path, num_labels=labels)
before = {name: value.double().numpy().copy() for name, value in base.state_dict().items()}
after = {name: value.double().numpy() for name, value in tuned.state_dict().items()}
model = PeftModel.from_pretrained(base, adapter_path).eval()

worst, total = 0.0, 0
for name, module in model.base_model.model.named_modules():
    if not hasattr(module, "lora_A") or not module.lora_A:
        continue
    delta = module.get_delta_weight("default").detach().double().numpy()
    difference = after[name + ".weight"] - before[name + ".weight"]
    kept = module.lora_A["default"]
    rank = (kept if isinstance(kept, torch.nn.Parameter) else kept.weight).shape[0]
    u, s, v = np.linalg.svd(difference)
    best = (u[:, :rank] * s[:rank]) @ v[:rank]
    distance = np.abs(delta - best).max()
    worst, total = max(worst, distance), total + rank
    print(f"{name:55s} rank {rank:3d}  from the best {distance:.2e}  error {np.linalg.norm(difference - delta):.6f}")
    assert distance < 1e-5, name
assert total > 0
print(f"{total} triplets, at most {worst:.2e} from the best of their ranks")

if sys.argv[4:] == ["exact"]:
    tokens = torch.arange(5, 25).reshape(2, 10)
    with torch.no_grad():
        distance = (model(tokens).logits - tuned(tokens).logits).abs().max().item()
    print(f"logits differ by {distance:.2e} at most")
    assert distance < 1e-4
