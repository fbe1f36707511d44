"""A logistic regression on the pixels, for comparison: what an image network has to do better than.

    pip install -r Tests/goldens/requirements.txt
    python launch/rival/logistic_regression.py digits data/digits
    python launch/rival/logistic_regression.py fashion-mnist data/fashion-mnist [--images 12000]

Softmax regression with an L2 penalty, by full-batch L-BFGS until it no longer falls; the best of several penalties, chosen
on the test split itself, to its own favour.
"""

import argparse
import gzip
import pathlib

import numpy as np
import torch
import torch.nn.functional as F


def digits(folder):
    def split(name):
        table = np.loadtxt(folder / name, delimiter=",")
        return torch.tensor(table[:, :-1] / 16).float(), torch.tensor(table[:, -1]).long()

    return *split("train.csv"), *split("test.csv")


def fashion_mnist(folder):
    def split(name):
        images = np.frombuffer(gzip.decompress((folder / f"{name}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
        labels = np.frombuffer(gzip.decompress((folder / f"{name}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
        return torch.tensor(images.reshape(-1, 784) / 255).float(), torch.tensor(labels.copy()).long()

    return *split("train"), *split("t10k")


def accuracy(x, y, test_x, test_y, penalty):
    weight = torch.zeros(x.shape[1], int(y.max()) + 1, requires_grad=True)
    bias = torch.zeros(weight.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy(x @ weight + bias, y) + penalty * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.no_grad():
        return ((test_x @ weight + bias).argmax(1) == test_y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", choices=["digits", "fashion-mnist"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, help="the first so many training images only")
    arguments = parser.parse_args()
    x, y, test_x, test_y = (digits if arguments.data == "digits" else fashion_mnist)(arguments.folder)
    x, y = x[:arguments.images], y[:arguments.images]
    results = {penalty: accuracy(x, y, test_x, test_y, penalty) for penalty in [1e-5, 1e-4, 1e-3, 1e-2]}
    best = max(results, key=results.get)
    print(f"{len(y)} images: test accuracy {results[best]:.4f} (penalty {best:g})")


if __name__ == "__main__":
    main()
