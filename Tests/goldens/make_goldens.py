"""Writes the golden values in Tests/Fixtures with PyTorch, transformers and PEFT.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/goldens/requirements.txt
    launch/fetch-data.sh
    .venv/bin/python Tests/goldens/make_goldens.py [tiny] [full] [minilm] [adamw] [decay] [activations]

Without arguments, all. With the versions of requirements.txt, the same bytes each time on one machine; another CPU may
differ in the last digits of what was computed in float32. Values in float64 are those to compare with; what float32
gave stands beside them to show how far apart two right programs may be.

Tensors are written as nested lists, or as {"shape": …, "values": …} in row-major order.
"""

import json
import os
import pathlib
import shutil
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import torch.nn.functional as F
import transformers
from peft import AdaLoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
TARGETS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]

WORDS = """the a an of and to in it is was film movie story actor plot scene music good great bad dull fine love funny
sad long short new old one two best worst very not no never but with for from that this all more less time way
character director performance end start life heart cafe naive""".split()
PIECES = ["##" + piece for piece in "s ed ing ly er est less ness ful able ion y un re ment".split()]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = SPECIAL + list(".,!?'-()0123456789") + list("abefgio") + WORDS + PIECES + ["中", "文"]


def digits(value, count):
    """A float or nested lists of them, to `count` significant decimal digits."""
    return [digits(item, count) for item in value] if isinstance(value, list) else float(f"{value:.{count}g}")


def nested(tensor):
    """As nested lists: 9 digits hold a float32 exactly, 13 are far below what is compared in float64."""
    return digits(tensor.detach().tolist(), 13 if tensor.dtype == torch.float64 else 9)


def flat(tensor):
    return {"shape": list(tensor.shape), "values": nested(tensor.detach().reshape(-1))}


def write(name, contents):
    """One line for each entry of the top level, so that a change can be read."""
    contents = {"made_by": "Tests/goldens/make_goldens.py", "torch": torch.__version__.split("+")[0], **contents}
    lines = [f"{json.dumps(key)}:{json.dumps(item, separators=(',', ':'))}" for key, item in contents.items()]
    path = FIXTURES / name
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def readable(folder):
    """safetensors writes files that only their owner may read."""
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


# A tiny BERT


def tiny_configuration(**more):
    return transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, type_vocab_size=2, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
        attn_implementation="eager", **more)


def randomise(model, generator):
    """Weights far larger than a new model's, so that outputs vary from token to token; no bias or norm left trivial."""
    for name, parameter in model.named_parameters():
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        parameter.data = centre + 0.2 * torch.randn(parameter.shape, generator=generator)


def save_model(model, name):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return readable(folder)


def sequences(generator):
    """Token sequences of 1 to 60 tokens; every third one long enough is a pair."""
    result = []
    for index, length in enumerate([7, 1, 60, 2, 16, 3, 40, 5, 23, 11, 52, 31]):
        ids = torch.randint(len(SPECIAL), len(VOCABULARY), [length], generator=generator)
        types = torch.zeros_like(ids)
        ids[0] = VOCABULARY.index("[CLS]")
        if length > 1:
            ids[-1] = VOCABULARY.index("[SEP]")
        if index % 3 == 0 and length > 6:
            ids[length // 3] = VOCABULARY.index("[SEP]")
            types[length // 3 + 1:] = 1
        result.append((ids, types))
    return result


def run_alone(model, inputs):
    """The model's outputs of each sequence by itself, without padding."""
    return [model(input_ids=ids[None], token_type_ids=types[None]) for ids, types in inputs]


def adapted(base, labels, generator):
    """A PEFT AdaLoRA model over the classifier folder with random vectors, singular values and head."""
    model = transformers.BertForSequenceClassification.from_pretrained(
        base, num_labels=labels, attn_implementation="eager", ignore_mismatched_sizes=True)
    configuration = AdaLoraConfig(
        task_type="SEQ_CLS", init_r=4, target_r=2, tinit=2, tfinal=3, deltaT=1, total_step=10, lora_alpha=8,
        lora_dropout=0.0, orth_reg_weight=0.1, target_modules=TARGETS)
    model = get_peft_model(model, configuration)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def file_name(parameter):
    """A parameter's name as PEFT writes it to adapter_model.safetensors."""
    return parameter.replace(".default", "").replace("modules_to_save.", "")


def save_adapter(model, name):
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    # What PEFT wrote, but for the base model's place on this machine and the order of the sets.
    path = folder / "adapter_config.json"
    contents = json.loads(path.read_text())
    contents["base_model_name_or_path"] = "Tests/Fixtures/tiny-bert"
    contents["target_modules"] = sorted(contents["target_modules"])
    path.write_text(json.dumps(contents, indent=2, sort_keys=True) + "\n")
    return readable(folder)


def logits_of(model, inputs):
    return torch.cat([output.logits for output in run_alone(model, inputs)])


def adapter_golden(model, inputs, loss_of):
    """Logits, task loss (mean over the samples) and its gradients, in float64; logits and loss in float32, too."""
    with torch.no_grad():
        logits32 = logits_of(model, inputs)
    loss32 = loss_of(logits32)
    model.double()
    logits = logits_of(model, inputs)
    loss = loss_of(logits)
    loss.backward()
    trained = {file_name(name): item for name, item in model.named_parameters() if item.requires_grad}
    model.float()
    return {
        "logits": nested(logits), "loss": nested(loss), "logits_float32": nested(logits32),
        "loss_float32": nested(loss32), "gradients": {name: flat(item.grad.double()) for name, item in trained.items()},
    }, trained


def pruned_golden(model, inputs, base, generator):
    """The same adapter with some triplets masked, two modules entirely, saved as PEFT saves it and loaded again."""
    keep = {}
    for index, (name, parameter) in enumerate(item for item in model.named_parameters() if "lora_E" in item[0]):
        kept = torch.rand(parameter.shape, generator=generator) < 0.5
        if index in (1, 10):
            kept[:] = False
        parameter.data *= kept
        keep[name.removeprefix("base_model.model.")] = kept.view(-1).tolist()
    model.peft_config["default"].rank_pattern = keep
    with torch.no_grad():
        masked = logits_of(model, inputs)
        folder = save_adapter(model, "tiny-bert-pruned-adapter")
        fresh = transformers.BertForSequenceClassification.from_pretrained(
            base, num_labels=masked.shape[1], attn_implementation="eager")
        loaded = logits_of(PeftModel.from_pretrained(fresh, folder).eval(), inputs)
        assert (masked - loaded).abs().max() < 1e-5, "PEFT reads its own pruned adapter differently"
        logits = logits_of(model.double(), inputs)
    return {"logits": nested(logits), "ranks": {file_name(name): sum(kept) for name, kept in keep.items()}}


def make_tiny():
    generator = torch.Generator().manual_seed(20230318)
    model = transformers.BertModel(tiny_configuration()).eval()
    randomise(model, generator)
    base = save_model(model, "tiny-bert")
    tokenizer = transformers.BertTokenizerFast(vocab=str(base / "vocab.txt"))
    tokenizer.backend_tokenizer.save(str(base / "tokenizer.json"))

    labels = {"id2label": {0: "bad", 1: "good", 2: "neutral"}, "label2id": {"bad": 0, "good": 1, "neutral": 2}}
    classifier = transformers.BertForSequenceClassification(tiny_configuration(**labels)).eval()
    randomise(classifier, generator)
    classifier.bert.load_state_dict(model.state_dict())
    classifier_folder = save_model(classifier, "tiny-bert-classifier")

    inputs = sequences(generator)
    golden = {"sequences": [
        {"input_ids": ids.tolist(), "token_type_ids": types.tolist()} for ids, types in inputs]}
    with torch.no_grad():
        golden["classifier_logits"] = nested(logits_of(classifier.double(), inputs))
        for kind, outputs in [
            ("float32", run_alone(model, inputs)), ("float64", run_alone(model.double(), inputs)),
        ]:
            golden[f"last_hidden_states_{kind}"] = [nested(output.last_hidden_state[0]) for output in outputs]
            golden[f"pooled_{kind}"] = [nested(output.pooler_output[0]) for output in outputs]

    weights = load_file(base / "model.safetensors")
    for kind in [torch.float16, torch.bfloat16]:
        name = str(kind).removeprefix("torch.")
        folder = FIXTURES / f"tiny-bert-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder, ignore=shutil.ignore_patterns("*.safetensors", "tokenizer.json"))
        save_file(
            {key: item.to(kind).contiguous() for key, item in weights.items()}, folder / "model.safetensors",
            metadata={"format": "pt"})
        readable(folder)
        model.load_state_dict({key: item.to(kind).double() for key, item in weights.items()})
        with torch.no_grad():
            golden[f"pooled_of_{name}_weights"] = [
                nested(output.pooler_output[0]) for output in run_alone(model, inputs)]

    classes = torch.arange(len(inputs)) % 3
    values = torch.linspace(-1.5, 2.5, len(inputs), dtype=torch.float64)
    golden["labels"] = {"classes": classes.tolist(), "values": nested(values)}
    three = adapted(classifier_folder, 3, generator)
    golden["classification"], _ = adapter_golden(three, inputs, lambda logits: F.cross_entropy(logits, classes))
    save_adapter(three, "tiny-bert-adapter")
    one = adapted(classifier_folder, 1, generator)
    golden["regression"], trained = adapter_golden(
        one, inputs, lambda logits: F.mse_loss(logits[:, 0], values.to(logits.dtype)))
    save_adapter(one, "tiny-bert-regression-adapter")
    golden["pruned"] = pruned_golden(three, inputs, classifier_folder, generator)
    write("tiny-bert-golden.json", golden)


def make_full():
    """Loss and gradients of the tiny classifier with every parameter trained, in float64: of each tensor's gradient the
    norm, and its products with two vectors that no two elements share."""
    golden = json.loads((FIXTURES / "tiny-bert-golden.json").read_text())
    inputs = [
        (torch.tensor(item["input_ids"]), torch.tensor(item["token_type_ids"])) for item in golden["sequences"]]
    model = transformers.BertForSequenceClassification.from_pretrained(
        FIXTURES / "tiny-bert-classifier", attn_implementation="eager").eval().double()
    loss = F.cross_entropy(logits_of(model, inputs), torch.tensor(golden["labels"]["classes"]))
    loss.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad.reshape(-1)
        places = torch.arange(len(gradient), dtype=torch.float64)
        gradients[name] = {
            "norm": nested(gradient.norm()),
            "products": [nested(gradient @ torch.cos(factor * places + 1)) for factor in (0.1, 0.37)]}
    write("tiny-bert-full-golden.json", {"loss": nested(loss), "gradients": gradients})


# all-MiniLM-L6-v2

OWN_TEXTS = [
    "Good",
    "A café, naïve and über-cool: Amélie's déjà vu, señor.",
    "電影很好看 and the 音楽 was 素晴らしい.",
    "Ångström, Łódź, Škoda, Đorđe, Ελλάδα, Москва, ﬁne ＡＢＣ, مرحبا, 😀!",
    "don't stop -- (really?) [no] {yes} 3.14 $5.00 50% #1 @home https://example.org/a_b?c=d&e=f",
    "internationalization antidisestablishmentarianism xqzjv",
]


def make_minilm():
    data = pathlib.Path(os.environ.get("RANKWISE_DATA", ROOT / "data"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(data / "minilm")
    model = transformers.AutoModel.from_pretrained(data / "minilm", attn_implementation="eager").eval()
    lines = (data / "movie-reviews" / "validation.tsv").read_text(encoding="utf-8").split("\n")[1:-1]
    reviews = [line.split("\t")[0] for line in lines]
    # One review, then as many joined as the wanted length takes.
    texts, start = list(OWN_TEXTS), 0
    for wanted in [8, 13, 20, 27, 36, 48, 64, 90, 120, 150, 190, 240, 310, 395]:
        words = []
        while len(tokenizer(" ".join(words), truncation=False).input_ids) < wanted:
            words += reviews[start].split(" ")
            start += 1
        while len(tokenizer(" ".join(words), truncation=False).input_ids) > wanted:
            words.pop()
        texts.append(" ".join(words))
    samples, furthest = [], 0.0
    for text in texts:
        encoded = tokenizer(text, truncation=False, padding=False, return_tensors="pt")
        count = encoded.input_ids.shape[1]
        with torch.no_grad():
            hidden = model.float()(**encoded).last_hidden_state[0]
            exact = model.double()(**encoded).last_hidden_state[0]
        furthest = max(furthest, (hidden - exact).abs().max().item())
        positions = sorted({0, 1, count // 2, count - 1})
        samples.append({
            "text": text, "input_ids": encoded.input_ids[0].tolist(), "positions": positions,
            "hidden_states": nested(hidden[positions])})
    print(f"{len(samples)} texts of {sorted(len(item['input_ids']) for item in samples)} tokens; "
          f"float32 differs from float64 by at most {furthest:.2g}")
    write("minilm-hidden-golden.json", {"float32_from_float64_at_most": furthest, "samples": samples})


# AdamW


def make_adamw():
    generator = torch.Generator().manual_seed(5)
    start = torch.randn([4, 3], generator=generator).double()
    # Ordinary, tiny (where epsilon counts) and huge gradients, and a row that has none until step 10.
    scale = torch.tensor([[1.0], [1e-8], [1e4], [1.0]])
    gradients = [(torch.randn([4, 3], generator=generator) * scale).double() for _ in range(20)]
    for gradient in gradients[:10]:
        gradient[3] = 0
    rates = [digits(0.01 * min(1, (step + 1) / 5) * (20 - step) / 20, 9) for step in range(20)]
    runs = []
    for decay in [0.0, 0.1]:
        parameter = torch.nn.Parameter(start.clone())
        optimiser = torch.optim.AdamW([parameter], betas=(0.9, 0.999), eps=1e-8, weight_decay=decay, foreach=False)
        after = []
        for rate, gradient in zip(rates, gradients):
            optimiser.param_groups[0]["lr"] = rate
            parameter.grad = gradient.clone()
            optimiser.step()
            after.append(nested(parameter))
        state = optimiser.state[parameter]
        runs.append({
            "weight_decay": decay, "parameters_after_each_step": after, "first_moment": nested(state["exp_avg"]),
            "second_moment": nested(state["exp_avg_sq"])})
    write("adamw-golden.json", {
        "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "learning_rates": rates, "start": nested(start.float()),
        "gradients": [nested(gradient.float()) for gradient in gradients], "runs": runs})


def make_decay():
    """Four triplets [P (3) | λ | Q (2)], each kind a group of parameters of its own, for twelve steps."""
    generator = torch.Generator().manual_seed(17)
    start = torch.randn([4, 6], generator=generator).double()
    gradients = [torch.randn([4, 6], generator=generator).double() for _ in range(12)]
    rates = [digits(0.05 * min(1, (step + 1) / 4) * (12 - step) / 12, 9) for step in range(12)]

    def unit_rows(rows, rate, decay):
        """Liu, Liu and Gore, arXiv 2505.10465: before Adam's step."""
        norm = rows.norm(dim=1, keepdim=True).clamp(min=1e-8)
        rows -= rate * decay * rows * (1 / norm - 1) if decay < 0 else rate * decay * rows

    runs = []
    for mode, vectors, values, clip, normalize in [
            ("decoupled", 0.3, 0.05, None, False), ("l2", 0.3, 0.05, None, False), ("l2", 0.0, 0.7, 0.8, False),
            ("unit-row", -2.0, None, None, False), ("unit-row", 0.5, None, None, False),
            ("decoupled", 0.0, 0.0, 0.6, False), ("decoupled", 0.0, 0.0, None, True), ("l2", 0.2, 0.0, None, True)]:
        parts = [torch.nn.Parameter(part.clone()) for part in start.split([3, 1, 2], dim=1)]
        decays = [vectors, values or 0.0, vectors]
        unit = mode == "unit-row"
        optimiser = (torch.optim.Adam if mode == "l2" else torch.optim.AdamW)(
            [{"params": [part], "weight_decay": 0.0 if unit else decay} for part, decay in zip(parts, decays)],
            betas=(0.9, 0.999), eps=1e-8, foreach=False)
        after = []
        for rate, gradient in zip(rates, gradients):
            for group in optimiser.param_groups:
                group["lr"] = rate
            for part, slope in zip(parts, gradient.split([3, 1, 2], dim=1)):
                part.grad = slope.clone()
            with torch.no_grad():
                if unit:
                    unit_rows(parts[0], rate, vectors)
                    unit_rows(parts[2], rate, vectors)
                optimiser.step()
                if clip:
                    for part in parts:
                        part.clamp_(-clip, clip)
                if normalize:
                    for part in (parts[0], parts[2]):
                        parts[1] *= part.norm(dim=1, keepdim=True)
                        part.copy_(F.normalize(part, dim=1))
            after.append(nested(torch.cat(parts, dim=1)))
        runs.append({
            "mode": mode, "vectors": vectors, "values": values, "clip": clip, "normalizes": normalize,
            "parameters_after_each_step": after})
    write("decay-golden.json", {
        "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "learning_rates": rates, "start": nested(start.float()),
        "gradients": [nested(gradient.float()) for gradient in gradients], "runs": runs})


# Element-wise and row operations


def with_gradients(function, *inputs, upstream):
    """The output of `function` in float64 and the gradients of Σ output·upstream with respect to the inputs."""
    inputs = [item.double().requires_grad_() for item in inputs]
    output = function(*inputs)
    (output * upstream.double()).sum().backward()
    return nested(output), [nested(item.grad) for item in inputs]


def make_activations():
    generator = torch.Generator().manual_seed(11)

    def random(*shape):
        return torch.randn(shape, generator=generator)

    grid = torch.cat([
        torch.linspace(-30, 30, 241), torch.linspace(-6, 6, 121), torch.tensor([1.0, -1.0]) * 1e-3,
        torch.tensor([1e-8, -1e-8, 1e-20, -1e-20, 1e-38, -1e-38, 5.5, -5.5, 9.0, -9.0, 13.2, -13.2])]).unique()
    golden = {"x": nested(grid)}
    for name, function in [("gelu", F.gelu), ("tanh", torch.tanh)]:
        output, [derivative] = with_gradients(function, grid, upstream=torch.ones_like(grid))
        golden[name] = {"output": output, "derivative": derivative}

    width = 37
    rows = torch.stack([
        random(width), 30 * random(width), 1e-3 * random(width), 100 + random(width), torch.full([width], 3.0),
        torch.linspace(-30, 30, width), torch.nn.functional.one_hot(torch.tensor(5), width) * 30.0])
    weight, bias, upstream = 1 + 0.3 * random(width), random(width), random(len(rows), width)
    output, [d_input, d_weight, d_bias] = with_gradients(
        lambda x, w, b: F.layer_norm(x, [width], w, b, eps=1e-12), rows, weight, bias, upstream=upstream)
    golden["layer_norm"] = {
        "epsilon": 1e-12, "input": nested(rows), "weight": nested(weight), "bias": nested(bias),
        "upstream": nested(upstream), "output": output, "d_input": d_input, "d_weight": d_weight, "d_bias": d_bias}

    output, [d_input] = with_gradients(lambda x: F.softmax(x, dim=-1), rows, upstream=upstream)
    golden["softmax"] = {
        "input": nested(rows), "upstream": nested(upstream), "output": output, "d_input": d_input}
    write("activations-golden.json", golden)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    FIXTURES.mkdir(exist_ok=True)
    makers = {"tiny": make_tiny, "full": make_full, "minilm": make_minilm, "adamw": make_adamw, "decay": make_decay,
              "activations": make_activations}
    for name in sys.argv[1:] or makers:
        makers[name]()
