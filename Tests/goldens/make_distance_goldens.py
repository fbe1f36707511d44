"""Writes Tests/Fixtures/distance-golden.json: the buckets of distances that transformers' DeBERTa-v2 and MPNet count.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt
    .venv/bin/python Tests/goldens/make_distance_goldens.py
"""

import json
import pathlib

import torch
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

path = pathlib.Path(__file__).resolve().parents[1] / "Fixtures" / "distance-golden.json"
deberta = make_log_bucket_position(torch.arange(-1100, 1101), 256, 512)
# MPNet's argument is key minus query.
mpnet = MPNetEncoder.relative_position_bucket(-torch.arange(-200, 201), 32, 128)
path.write_text(json.dumps({"deberta": deberta.long().tolist(), "mpnet": mpnet.tolist()}) + "\n")
