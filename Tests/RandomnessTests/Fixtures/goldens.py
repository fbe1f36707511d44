"""Computes the golden values of RandomnessTests from the published definitions, independently of the Swift code.

Needs Python 3.8 or later and nothing else. Run it and compare with the constants in the tests:

    python3 goldens.py
"""

import math

M = 0xFFFFFFFF


def philox(key, counter):
    """Salmon et al. 2011, section 3.3: ten rounds of Philox4x32."""
    k, c = list(key), list(counter)
    for _ in range(10):
        p, q = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(q >> 32) ^ c[1] ^ k[0], q & M, (p >> 32) ^ c[3] ^ k[1], p & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c


def word(seed, purpose, step, sample, layer, position):
    counter = [position // 4, sample, step, purpose << 24 | layer]
    return philox([seed & M, seed >> 32], counter)[position % 4]


def permutation(count, seed, epoch):
    order, position = list(range(count)), 0
    for last in range(count - 1, 0, -1):
        bound = last + 1
        while True:
            low, high = (word(seed, 1, epoch, 0, 0, position + i) for i in range(2))
            position += 2
            product = (high << 32 | low) * bound
            if product % 2**64 >= 2**64 % bound:
                break
        other = product >> 64
        order[last], order[other] = order[other], order[last]
    return order


def normal(seed, tensor, index):
    a, b = (word(seed, 2, 0, 0, tensor, index // 2 * 2 + i) for i in range(2))
    radius = math.sqrt(-2 * math.log((a + 1) / 2**32))
    angle = 2 * math.pi * b / 2**32
    return radius * (math.sin(angle) if index % 2 else math.cos(angle))


if __name__ == "__main__":
    print("permutation of 10, seed 0, epoch 0:", permutation(10, 0, 0))
    print("permutation of 10, seed 0, epoch 1:", permutation(10, 0, 1))
    print("permutation of 7, seed 2^63 + 5, epoch 3:", permutation(7, 2**63 + 5, 3))
    print("normals, seed 42, tensor 3:", [normal(42, 3, i) for i in range(6)])
    place = dict(seed=0x0123456789ABCDEF, purpose=3, step=7, sample=11, layer=13)
    print("words:", [hex(word(position=p, **place)) for p in (0, 1, 2, 3, 4, 1000003)])
