"""HCFormer in PyTorch: what `rankwise bench image-step` is compared with, and where the goldens come from.

    pip install -r Tests/goldens/requirements.txt
    python launch/rival/hcformer.py [--size nano] [--image 224] [--batch 32] [--threads 1] [--steps 5] [--json]

Prints the median seconds of a training step (forward, cross-entropy, backward, AdamW) on random images. The module is
written for speed: similarities and updates are matrix products, windows are cut by one reshape, and nothing is padded
that fits. Its tensors are called as the authors call theirs.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {
    "nano": dict(depths=[2, 2, 6, 2], widths=[32, 64, 196, 224], heads=[4, 4, 8, 8], head_width=16),
    "tiny": dict(depths=[2, 2, 6, 2], widths=[32, 64, 196, 320], heads=[4, 4, 8, 8], head_width=24),
    "small": dict(depths=[2, 2, 6, 2], widths=[64, 128, 320, 512], heads=[4, 4, 8, 8], head_width=32),
    "medium": dict(depths=[4, 4, 12, 4], widths=[64, 128, 320, 512], heads=[6, 6, 12, 12], head_width=32),
}
COMMON = dict(
    expansions=[8, 8, 4, 4], windows=[7, 7, 1, 1], patch_centres=[4, 2, 7, 4], window_centres=[4, 4, 1, 0], stem=4,
    layer_scale=1e-5, curvature=1.0)


def lorentz_distance(x, y, curvature):
    """√(1/κ)·acosh(−κ⟨x, y⟩) between all rows of x, [..., P, W], and y, [..., M, W], given by their space coordinates."""
    x_time = (1 / curvature + x.square().sum(-1)).sqrt().unsqueeze(-1)
    y_time = (1 / curvature + y.square().sum(-1)).sqrt().unsqueeze(-2)
    product = curvature * (x_time * y_time - x @ y.transpose(-1, -2))
    return torch.acosh(product.clamp(min=1 + torch.finfo(x.dtype).eps)) / curvature**0.5


def exponential(v, curvature):
    """The exponential map at the origin; space coordinates."""
    a = curvature**0.5 * v.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return torch.sinh(a) / a * v


def clipped(v):
    return v * (1 / v.norm(dim=-1, keepdim=True).clamp(min=1e-12)).clamp(max=1)


def updated(assignments, values, centres):
    """g = A·C', C' = (centres + Aᵀ·values) / (1 + ΣA); A is [..., points, centres]."""
    weights = 1 + assignments.sum(-2).unsqueeze(-1)
    return assignments @ ((centres + assignments.transpose(-1, -2) @ values) / weights)


class ClusterMixer(nn.Module):
    def __init__(self, width, heads, head_width, windows, patch_centres, window_centres, side, curvature):
        super().__init__()
        inner = heads * head_width
        self.heads, self.head_width, self.windows, self.curvature = heads, head_width, windows, curvature
        self.patch_centres, self.window_centres = patch_centres, window_centres
        self.f = nn.Conv2d(width, inner, 1)
        self.v = nn.Conv2d(width, inner, 1)
        self.proj = nn.Conv2d(inner * (2 if window_centres else 1), width, 1)
        self.relative_position_bias = nn.Parameter(torch.zeros(heads, patch_centres**2, side, side))
        self.sim_alpha = nn.Parameter(torch.ones(1))
        if window_centres:
            self.relative_position_bias2 = nn.Parameter(torch.zeros(heads, window_centres**2, windows, windows))
            self.sim_alpha2 = nn.Parameter(torch.ones(1))

    def forward(self, x):
        _, _, height, width = x.shape
        down, across = -height % self.windows, -width % self.windows
        f, v = self.f(x), self.v(x)
        if down or across:
            pad = (across // 2, across - across // 2, down // 2, down - down // 2)
            f, v = F.pad(f, pad, mode="reflect"), F.pad(v, pad, mode="reflect")
        mixed = self.patches(f, v)
        if self.window_centres:
            mixed = torch.cat([mixed, self.regions(f, v)], 1)
        top, left = down // 2, across // 2
        return self.proj(mixed[:, :, top : top + height, left : left + width])

    def cut(self, x):
        """[B, heads·W, H, W'] as [B·heads·windows², W, h, w]."""
        batch, _, height, width = x.shape
        k, h, w = self.windows, height // self.windows, width // self.windows
        x = x.reshape(batch, self.heads, self.head_width, k, h, k, w).permute(0, 1, 3, 5, 2, 4, 6)
        return x.reshape(-1, self.head_width, h, w)

    def patches(self, f, v):
        batch, inner, height, width = f.shape
        k, h, w = self.windows, height // self.windows, width // self.windows
        bias = self.relative_position_bias
        if bias.shape[-2:] != (height, width):
            bias = F.interpolate(bias, (height, width), mode="bilinear", align_corners=True)
        centres = self.patch_centres**2
        bias = bias.reshape(self.heads, centres, k, h, k, w).permute(0, 2, 4, 3, 5, 1).reshape(1, -1, h * w, centres)
        f, v = self.cut(f), self.cut(v)
        f_centres = F.adaptive_avg_pool2d(f, self.patch_centres).flatten(2).transpose(1, 2)
        v_centres = F.adaptive_avg_pool2d(v, self.patch_centres).flatten(2).transpose(1, 2)
        f, v = f.flatten(2).transpose(1, 2), v.flatten(2).transpose(1, 2)
        cosine = F.normalize(f, dim=-1) @ F.normalize(f_centres, dim=-1).transpose(1, 2)
        logits = bias + self.sim_alpha * cosine.reshape(batch, -1, h * w, centres)
        output = updated(logits.softmax(-1).reshape(cosine.shape), v, v_centres)
        output = output.reshape(batch, self.heads, k, k, h, w, self.head_width).permute(0, 1, 6, 2, 4, 3, 5)
        return output.reshape(batch, inner, height, width)

    def regions(self, f, v):
        batch, inner, height, width = f.shape

        def rows(x, side):
            pooled = F.adaptive_avg_pool2d(x, side)
            return pooled.reshape(batch, self.heads, self.head_width, side * side).transpose(2, 3)

        points = exponential(clipped(rows(f, self.windows)), self.curvature)
        centres = exponential(clipped(rows(f, self.window_centres)), self.curvature)
        bias = self.relative_position_bias2.flatten(2).transpose(1, 2)
        distance = lorentz_distance(points, centres, self.curvature)
        assignments = (bias - self.sim_alpha2 * distance).softmax(-1)
        output = updated(assignments, rows(v, self.windows), rows(v, self.window_centres))
        output = output.transpose(2, 3).reshape(batch, inner, self.windows, self.windows)
        return F.interpolate(output, (height, width), mode="nearest")


class Block(nn.Module):
    def __init__(self, width, expansion, layer_scale, **mixer):
        super().__init__()
        self.norm1 = nn.GroupNorm(1, width)
        self.token_mixer = ClusterMixer(width, **mixer)
        self.norm2 = nn.GroupNorm(1, width)
        self.mlp = nn.Module()
        self.mlp.fc1 = nn.Linear(width, expansion * width)
        self.mlp.fc2 = nn.Linear(expansion * width, width)
        self.layer_scale_1 = nn.Parameter(torch.full((width,), layer_scale))
        self.layer_scale_2 = nn.Parameter(torch.full((width,), layer_scale))

    def forward(self, x):
        x = x + self.layer_scale_1.reshape(1, -1, 1, 1) * self.token_mixer(self.norm1(x))
        hidden = F.gelu(self.mlp.fc1(self.norm2(x).permute(0, 2, 3, 1)))
        return x + self.layer_scale_2.reshape(1, -1, 1, 1) * self.mlp.fc2(hidden).permute(0, 3, 1, 2)


class Reducer(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, padding):
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, kernel, stride, padding)

    def forward(self, x):
        return self.proj(x)


class HCFormer(nn.Module):
    def __init__(self, *, image, channels, classes, depths, widths, heads, head_width, expansions, windows,
                 patch_centres, window_centres, stem, layer_scale, curvature):
        super().__init__()
        self.patch_embed = Reducer(channels, widths[0], stem, stem, 0)
        side, network = image // stem, []
        for stage, depth in enumerate(depths):
            if stage:
                network.append(Reducer(widths[stage - 1], widths[stage], 3, 2, 1))
                side = (side - 1) // 2 + 1
            network.append(nn.Sequential(*[
                Block(widths[stage], expansions[stage], layer_scale, heads=heads[stage], head_width=head_width,
                      windows=windows[stage], patch_centres=patch_centres[stage],
                      window_centres=window_centres[stage], side=side, curvature=curvature)
                for _ in range(depth)]))
        self.network = nn.ModuleList(network)
        self.norm = nn.GroupNorm(1, widths[-1])
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        x = self.patch_embed(x)
        for part in self.network:
            x = part(x)
        return self.head(self.norm(x).mean((2, 3)))


def of_size(size, image=224, channels=3, classes=1000):
    return HCFormer(image=image, channels=channels, classes=classes, **COMMON, **SIZES[size])


def main():
    parser = argparse.ArgumentParser(description="Times a training step of HCFormer in PyTorch.")
    parser.add_argument("--size", choices=SIZES, default="nano")
    parser.add_argument("--image", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = of_size(arguments.size, arguments.image)
    images = torch.randn(arguments.batch, 3, arguments.image, arguments.image)
    labels = torch.arange(arguments.batch) % 1000
    best = None
    for layout in [torch.contiguous_format, torch.channels_last]:
        model, images = model.to(memory_format=layout), images.contiguous(memory_format=layout)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        seconds = []
        for step in range(arguments.steps + 1):
            start = time.perf_counter()
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
            if step:
                seconds.append(time.perf_counter() - start)
        median = statistics.median(seconds)
        best = median if best is None else min(best, median)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    result = {"program": "PyTorch " + torch.__version__, "parameters": parameters, "step_seconds": round(best, 4)}
    print(json.dumps(result) if arguments.json else
          f"{result['program']}: {parameters} parameters, {best:.3f} s a step (median, the better memory format)")


if __name__ == "__main__":
    main()
