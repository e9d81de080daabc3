"""Worst 8-bit round trips of every codec, in NumPy from the formulas of the specification.

Prints the golden values of precision_table_test.cpp: python3 tests/codec/precision_golden.py
"""

import numpy as np

EPSILON = 1e-10


def places_in_a_level():
    """Both sides of each tie between two fraction codes, and just inside both ends."""
    ties = (np.arange(255) + 0.5) / 255
    return np.concatenate([[EPSILON], ties - EPSILON, ties + EPSILON, [1 - EPSILON]])


def quantize(unit):
    return np.rint(unit * 255) / 255


def axis(d, m, M, K, spacing):
    if spacing == "linear":
        return (d - m) / (M - m) * K
    if spacing == "log":
        return np.log(d / m) / np.log(M / m) * K
    return (1 / m - 1 / d) / (1 / m - 1 / M) * K


def metres(x, m, M, K, spacing):
    if spacing == "linear":
        return m + x / K * (M - m)
    if spacing == "log":
        return m * (M / m) ** (x / K)
    return 1 / (1 / m - x / K * (1 / m - 1 / M))


def worst(codec, spacing, m, M, K):
    if codec in ("rounded", "continuous"):
        places = np.arange(K)[:, None] - 0.5 + np.linspace(EPSILON, 1 - EPSILON, 20001)
        d = np.clip(places / (K - 1) * M, m, M)
        integer = np.clip(np.round(d / M * (K - 1)), 0, K - 1) / (K - 1)
        fraction = quantize(np.clip(d - integer * M, 0, 1))
        if codec == "continuous":
            integer = quantize(integer)
        return np.abs(integer * M + fraction - d).max()
    d = metres(np.arange(K)[:, None] + places_in_a_level(), m, M, K, spacing)
    x = axis(d, m, M, K, spacing)
    k = np.minimum(np.floor(x), K - 1)
    r = x - k
    odd = (k % 2 == 1) & (codec == "reflected")
    said = quantize(np.where(odd, 1 - r, r))
    r = np.where(odd, 1 - said, said)
    return np.abs(metres(k + r, m, M, K, spacing) - d).max()


if __name__ == "__main__":
    for codec, spacing, m, M, K in [
        ("rounded", "linear", 0.1, 30, 256),
        ("rounded", "linear", 0.1, 80, 256),
        ("rounded", "linear", 0.1, 15, 48),
        ("continuous", "linear", 0.1, 15, 48),
        ("step", "linear", 0.1, 15, 48),
        ("reflected", "linear", 0.1, 15, 256),
        ("reflected", "linear", 0.1, 80, 256),
        ("reflected", "log", 1, 80, 256),
        ("reflected", "log", 0.5, 15, 255),
        ("reflected", "inverse", 1, 80, 256),
        ("step", "inverse", 0.5, 15, 64),
    ]:
        print(codec, spacing, m, M, K, f"{worst(codec, spacing, m, M, K):.5e}")
