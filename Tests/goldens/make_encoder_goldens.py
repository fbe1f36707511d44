"""Writes Tests/Fixtures/encoders: small random encoders of every family, and what transformers and PEFT compute with them.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt
    .venv/bin/python Tests/goldens/make_encoder_goldens.py [NAME …]

Without names, all. Each folder is a base model as `save_pretrained` writes it, with

    golden.json                 token sequences, hidden states (float64), the tensors of a head for three classes, logits, labels
    adapter.safetensors         a random AdaLoRA adapter on every linear layer of a block: MODULE.lora_A, .lora_B, .lora_E
    gradients.safetensors       of the mean loss, where adapter and head are trained: the same names, and the head's
    full-gradients.safetensors  of the mean loss without adapter, where everything is trained: the names of model.safetensors

Everything is computed in float64 without dropout, each sequence alone, so that no padding takes part.
"""

import json
import os
import pathlib
import shutil
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from peft import AdaLoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures" / "encoders"
LENGTHS = [1, 3, 5, 9, 14, 20, 27, 33, 38]
RANK, ALPHA, CLASSES = 3, 6, 3

BERT_LAYERS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
SHAPE = dict(vocab_size=130, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
DEBERTA = dict(
    **SHAPE, max_position_embeddings=40, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm",
    pos_att_type="p2c|c2p", layer_norm_eps=1e-7)
DEBERTA_LAYERS = ["query_proj", "key_proj", "value_proj"] + BERT_LAYERS[3:]
MODERN = dict(
    vocab_size=130, hidden_size=32, num_hidden_layers=4, num_attention_heads=4, intermediate_size=24,
    max_position_embeddings=64, local_attention=8, pad_token_id=0, bos_token_id=1, cls_token_id=1, eos_token_id=2,
    sep_token_id=2, attn_implementation="eager")
MODERN_LAYERS = ["attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"]

# Name: configuration, linear layers of a block.
FAMILIES = {
    "tiny-roberta": (transformers.RobertaConfig(
        **SHAPE, max_position_embeddings=42, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1), BERT_LAYERS),
    "tiny-xlm-roberta": (transformers.XLMRobertaConfig(
        **SHAPE, max_position_embeddings=42, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1), BERT_LAYERS),
    "tiny-distilbert": (transformers.DistilBertConfig(
        vocab_size=130, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=40),
        ["q_lin", "k_lin", "v_lin", "out_lin", "ffn.lin1", "ffn.lin2"]),
    "tiny-electra": (transformers.ElectraConfig(
        **SHAPE, embedding_size=16, max_position_embeddings=40, type_vocab_size=2), BERT_LAYERS),
    "tiny-mpnet": (transformers.MPNetConfig(**SHAPE, max_position_embeddings=42, layer_norm_eps=1e-5),
        ["attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"]),
    "tiny-deberta-v3": (transformers.DebertaV2Config(
        **DEBERTA, share_att_key=True, position_biased_input=False, type_vocab_size=0), DEBERTA_LAYERS),
    "tiny-deberta-v2": (transformers.DebertaV2Config(
        **DEBERTA, share_att_key=False, position_biased_input=True, type_vocab_size=2, embedding_size=16,
        attention_head_size=8, conv_kernel_size=3, conv_act="gelu"),
        DEBERTA_LAYERS + ["pos_key_proj", "pos_query_proj"]),
    "tiny-modernbert": (transformers.ModernBertConfig(**MODERN), MODERN_LAYERS),
    "tiny-modernbert-mean": (transformers.ModernBertConfig(**MODERN, classifier_pooling="mean"), MODERN_LAYERS),
}


def randomise(model, seed):
    """Values so large that every tensor matters; norms about 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            is_norm = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_(1 + 0.2 * values if is_norm else (0.25 if parameter.ndim > 1 else 0.1) * values)


def sequences(segments):
    generator = torch.Generator().manual_seed(7)
    result = []
    for length in LENGTHS:
        ids = torch.randint(5, 130, (length,), generator=generator).tolist()
        ids[0] = 2
        if length > 1:
            ids[-1] = 3
        types = [int(segments > 1 and index > length // 2) for index in range(length)]
        result.append({"input_ids": ids, "token_type_ids": types})
    return result


def digits(value):
    return [digits(item) for item in value] if isinstance(value, list) else float(f"{value:.10g}")


def inputs(sequence, has_segments):
    ids = torch.tensor([sequence["input_ids"]])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if has_segments:
        given["token_type_ids"] = torch.tensor([sequence["token_type_ids"]])
    return given


def backward(model, samples, labels, has_segments):
    """Sets the gradients of the mean loss; gives the logits."""
    logits = []
    for sample, label in zip(samples, labels):
        output = model(**inputs(sample, has_segments)).logits
        (torch.nn.functional.cross_entropy(output, torch.tensor([label])) / len(samples)).backward()
        logits.append(output[0].tolist())
    return logits


def plain(tensors):
    return {name: tensor.detach().to(torch.float32).contiguous() for name, tensor in tensors.items()}


def write(name):
    configuration, layers = FAMILIES[name]
    configuration.num_labels = CLASSES
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_config(configuration).eval()
    randomise(model, seed=sum(map(ord, name)))
    folder = FIXTURES / name
    keep = {path: path.read_bytes() for path in folder.glob("tokenizer*")} if folder.exists() else {}
    shutil.rmtree(folder, ignore_errors=True)
    model.base_model.save_pretrained(folder)
    for path, contents in keep.items():
        path.write_bytes(contents)
    model.double()
    prefix = model.base_model_prefix + "."
    segments = getattr(configuration, "type_vocab_size", 0) or 0
    has_segments = segments > 0
    samples = sequences(segments)
    labels = [index % CLASSES for index in range(len(samples))]
    stored = set(load_file(folder / "model.safetensors"))

    with torch.no_grad():
        states = [model.base_model(**inputs(sample, has_segments)).last_hidden_state[0].tolist() for sample in samples]
    logits = backward(model, samples, labels, has_segments)
    parameters = dict(model.named_parameters())
    full = {
        full_name.removeprefix(prefix): parameter.grad for full_name, parameter in parameters.items()
        if full_name.removeprefix(prefix) in stored and parameter.grad is not None}
    save_file(plain(full), folder / "full-gradients.safetensors")
    head = {
        full_name: parameter for full_name, parameter in parameters.items()
        if full_name.removeprefix(prefix) not in stored}

    for parameter in parameters.values():
        parameter.grad = None
    peft = get_peft_model(model, AdaLoraConfig(
        task_type=None, init_r=RANK, target_r=1, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=layers,
        exclude_modules=r".*pooler.*|classifier.*|head\..*",
        total_step=100, tinit=1, tfinal=1))
    peft.double().eval()
    generator = torch.Generator().manual_seed(11)
    adapter, trained = {}, {}
    for full_name, parameter in peft.named_parameters():
        short = full_name.removeprefix("base_model.model.").removesuffix(".default")
        if "lora_" in short:
            with torch.no_grad():
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
                parameter.copy_(parameter.to(torch.float32).double())
            adapter[short] = trained[short] = parameter
        elif short in head:
            parameter.requires_grad_(True)
            trained[short] = parameter
    backward(peft, samples, labels, has_segments)
    save_file(plain(adapter), folder / "adapter.safetensors")
    save_file(plain({short: parameter.grad for short, parameter in trained.items()}), folder / "gradients.safetensors")
    golden = {
        "made_by": "Tests/goldens/make_encoder_goldens.py", "transformers": transformers.__version__,
        "lora_alpha": ALPHA, "rank": RANK, "target_modules": layers, "labels": labels, "sequences": samples,
        "head": {
            full_name: {"shape": list(parameter.shape), "values": digits(parameter.detach().reshape(-1).tolist())}
            for full_name, parameter in head.items()},
        "logits": digits(logits), "last_hidden_state": digits(states)}
    lines = [f"{json.dumps(key)}:{json.dumps(item, separators=(',', ':'))}" for key, item in golden.items()]
    (folder / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)
    print(name, sum(path.stat().st_size for path in folder.iterdir()), "bytes")


for family in sys.argv[1:] or FAMILIES:
    write(family)
