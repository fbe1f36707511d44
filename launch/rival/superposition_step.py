"""Times a training step of the superposition model in PyTorch, to be set beside `rankwise bench superposition`.

    python launch/rival/superposition_step.py [--features 1000] [--hidden 100] [--batch 2048] [--steps 100]

One thread. A step is what the model's definition says (arXiv 2505.10465): x drawn dense, u_i·v_i with u_i from Bernoulli(p_i) and
v_i from U(0, 2); h = Wᵀx, y = max(Wh + b, 0), the mean of ‖y − x‖² and its gradients by autograd; growth of the rows towards unit
length; AdamW (fused, the fastest of PyTorch's). Printed are the medians of the whole step, and of the step on data drawn before.
"""

import argparse
import statistics
import time

import torch


def main():
    parser = argparse.ArgumentParser()
    for name, value in [("features", 1000), ("hidden", 100), ("batch", 2048), ("steps", 100)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    n, m, batch = arguments.features, arguments.hidden, arguments.batch
    p = torch.arange(1, n + 1, dtype=torch.float32).reciprocal()
    p /= p.sum()
    weight = (torch.randn(n, m) / m**0.5).requires_grad_()
    bias = torch.randn(n).requires_grad_()
    optimizer = torch.optim.AdamW([weight, bias], lr=1e-4, weight_decay=0.0, fused=True)

    def draw():
        return torch.where(torch.rand(batch, n) < p, 2 * torch.rand(batch, n), 0.0)

    def step(x):
        optimizer.zero_grad(set_to_none=True)
        y = torch.relu(torch.addmm(bias, x @ weight, weight.T))
        loss = (y - x).square_().sum() / batch
        loss.backward()
        with torch.no_grad():
            norms = weight.norm(dim=1, keepdim=True).clamp_min(1e-8)
            weight.mul_(1 + 1e-4 * (1 / norms - 1))
        optimizer.step()

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    x = draw()
    whole, given = [], []
    for round in range(arguments.steps + 3):
        times = seconds(lambda: step(draw())), seconds(lambda: step(x))
        if round >= 3:
            whole.append(times[0])
            given.append(times[1])
    print(f"PyTorch {torch.__version__}: {n} features, {m} hidden, batch {batch}, one thread, {arguments.steps} steps")
    print(f"step            {statistics.median(whole) * 1e3:.2f} ms")
    print(f"without drawing {statistics.median(given) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
