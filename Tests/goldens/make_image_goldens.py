"""Writes the golden values of the image networks in Tests/Fixtures with PyTorch, in double precision.

    .venv/bin/python Tests/goldens/make_image_goldens.py

map-operations-golden.json   convolutions (equal to explicit Toeplitz products), group norm, batch norm
small-hcformer/              an HCFormer of two stages whose second does not fit its windows: config.json,
                             model.safetensors, golden.json (images, logits, loss), gradients.safetensors
"""

import json
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from make_goldens import FIXTURES, ROOT, nested, readable, write

sys.path.insert(0, str(ROOT / "launch" / "rival"))
from hcformer import HCFormer  # noqa: E402


def random(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def toeplitz(x, weight, stride, padding):
    """The convolution as one product with a matrix that holds the shared kernel at every position."""
    batch, channels, height, width = x.shape
    outputs, _, k, _ = weight.shape
    high, wide = (height + 2 * padding - k) // stride + 1, (width + 2 * padding - k) // stride + 1
    matrix = torch.zeros(outputs * high * wide, channels * height * width, dtype=x.dtype)
    for o in range(outputs):
        for y in range(high):
            for z in range(wide):
                for c in range(channels):
                    for dy in range(k):
                        for dx in range(k):
                            row, column = y * stride + dy - padding, z * stride + dx - padding
                            if 0 <= row < height and 0 <= column < width:
                                matrix[(o * high + y) * wide + z, (c * height + row) * width + column] = (
                                    weight[o, c, dy, dx])
    return (x.reshape(batch, -1) @ matrix.T).reshape(batch, outputs, high, wide)


def rows(x):
    """Maps as rows of channels: [B·H·W, C]."""
    return nested(x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]))


def convolution(generator, kernel, stride, padding, side, channels, outputs):
    x = random(generator, 2, channels, side, side + 1).requires_grad_()
    weight = random(generator, outputs, channels, kernel, kernel).requires_grad_()
    bias = random(generator, outputs).requires_grad_()
    y = F.conv2d(x, weight, bias, stride, padding)
    assert torch.allclose(y - bias.reshape(1, -1, 1, 1), toeplitz(x, weight, stride, padding), atol=1e-12)
    upstream = random(generator, *y.shape)
    y.backward(upstream)
    return {
        "kernel": kernel, "stride": stride, "padding": padding, "samples": 2, "height": side, "width": side + 1,
        "input": rows(x), "weight": nested(weight.reshape(outputs, -1)), "bias": nested(bias), "output": rows(y),
        "upstream": rows(upstream), "d_input": rows(x.grad), "d_weight": nested(weight.grad.reshape(outputs, -1)),
        "d_bias": nested(bias.grad)}


def normalization(generator, apply, x, channels):
    x = x.requires_grad_()
    weight = random(generator, channels).requires_grad_()
    bias = random(generator, channels).requires_grad_()
    y = apply(x, weight, bias)
    upstream = random(generator, *y.shape)
    y.backward(upstream)
    return {
        "input": rows(x), "weight": nested(weight), "bias": nested(bias), "output": rows(y),
        "upstream": rows(upstream), "d_input": rows(x.grad), "d_weight": nested(weight.grad),
        "d_bias": nested(bias.grad)}


def map_operations():
    generator = torch.Generator().manual_seed(6)
    group = normalization(
        generator, lambda x, w, b: F.group_norm(x, 1, w, b, 1e-5), random(generator, 2, 6, 3, 4) * 2 + 5, 6)
    # Far from 0, where a variance as the difference of two large numbers would be lost.
    mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    batch = normalization(
        generator, lambda x, w, b: F.batch_norm(x, mean, variance, w, b, True, 0.1, 1e-5),
        random(generator, 11, 3, 1, 1) + torch.tensor([0.0, 30.0, 300.0]).reshape(1, 3, 1, 1), 3)
    batch |= {"running_mean": nested(mean), "running_variance": nested(variance)}
    layer = normalization(
        generator, lambda x, w, b: F.layer_norm(x.permute(0, 2, 3, 1), (7,), w, b, 1e-5).permute(0, 3, 1, 2),
        torch.cat([random(generator, 4, 7, 1, 1), torch.full((1, 7, 1, 1), 3.3, dtype=torch.float64)]), 7)
    write("map-operations-golden.json", {
        "convolutions": [
            convolution(generator, 4, 4, 0, 8, 3, 5), convolution(generator, 3, 2, 1, 5, 4, 6),
            convolution(generator, 3, 2, 1, 6, 2, 3), convolution(generator, 1, 1, 0, 3, 4, 5)],
        "group_norm": {"samples": 2, "height": 3, "width": 4, **group}, "batch_norm": batch, "layer_norm": layer})


def small_hcformer():
    shape = dict(depths=[1, 2], widths=[8, 12], heads=[2, 3], head_width=4, expansions=[2, 2], windows=[2, 2],
                 patch_centres=[2, 3], window_centres=[2, 0], stem=2, layer_scale=0.5, curvature=1.5)
    generator = torch.Generator().manual_seed(8)
    model = HCFormer(image=12, channels=2, classes=3, **shape).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = random(generator, *parameter.shape)
            if name.endswith(("norm.weight", "norm1.weight", "norm2.weight")) or "alpha" in name:
                parameter.copy_(1 + 0.2 * noise)
            else:
                parameter.copy_(0.4 * noise)
            # As the file will hold it.
            parameter.copy_(parameter.float().double())
    images = random(generator, 4, 2, 12, 12).float().double()
    labels = torch.tensor([0, 2, 1, 1])
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    # Of another size than it was made for: the maps of B are interpolated, the first stage is padded.
    larger = random(generator, 2, 2, 18, 18).float().double()
    folder = FIXTURES / "small-hcformer"
    folder.mkdir(exist_ok=True)
    save_file({name: tensor.float() for name, tensor in model.state_dict().items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    save_file({name: tensor.grad.float() for name, tensor in model.named_parameters()},
              folder / "gradients.safetensors", metadata={"format": "pt"})
    configuration = {
        "model_type": "hcformer", "image_size": 12, "num_channels": 2, "patch_size": 2, "depths": shape["depths"],
        "hidden_sizes": shape["widths"], "num_attention_heads": shape["heads"], "head_dim": shape["head_width"],
        "mlp_ratios": shape["expansions"], "windows": shape["windows"], "patch_centers": shape["patch_centres"],
        "window_centers": shape["window_centres"], "curvature": shape["curvature"],
        "layer_scale_init_value": shape["layer_scale"], "id2label": {"0": "a", "1": "b", "2": "c"}}
    (folder / "config.json").write_text(json.dumps(configuration, indent=2) + "\n", encoding="utf-8")
    readable(folder)
    write("small-hcformer/golden.json", {
        "images": rows(images), "labels": labels.tolist(), "logits": nested(logits), "loss": float(loss),
        "larger_images": rows(larger), "larger_logits": nested(model(larger))})


if __name__ == "__main__":
    map_operations()
    small_hcformer()
