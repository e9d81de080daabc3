"""Losses of a small list of pixels, in NumPy from the formulas of the headers.

Prints the golden values of depth_loss_test.cpp: python3 tests/loss/loss_golden.py
"""

import numpy as np

M, m, K = 20.0, 0.5, 8
DEPTH = np.array([0.6, 2.0, 7.3, 12.9, 19.5, 25.0])  # the last one is out of range
P = len(DEPTH)
LOGITS = np.array([[2 * np.sin(1 + 3 * p + 0.7 * k) for k in range(K)] for p in range(P)])
FRACTION = np.array([np.cos(p) for p in range(P)])
INSIDE = (DEPTH >= m) & (DEPTH <= M)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def encode(codec):
    """level, fraction target, position, centres on the axis, depth of the centres"""
    d = DEPTH[INSIDE]
    if codec in ("rounded", "continuous"):
        level = np.clip(np.round(d / M * (K - 1)), 0, K - 1)
        fraction = np.clip(d - level / (K - 1) * M, 0, 1)
        centres = np.arange(K)
        return level, fraction, d / M * (K - 1), centres, np.clip(centres / (K - 1) * M, m, M)
    x = (d - m) / (M - m) * K
    level = np.minimum(np.floor(x), K - 1)
    r = x - level
    fraction = np.where((level % 2 == 1) & (codec == "reflected"), 1 - r, r)
    centres = np.arange(K) + 0.5
    return level, fraction, x, centres, m + centres / K * (M - m)


def silog(p, d, lam):
    e = np.log(p) - np.log(d)
    return np.sqrt((e**2).mean() - lam * e.mean() ** 2)


def losses(codec, integer, consistency, sigma=1.0, lse_weight=0.0):
    level, target, x, centres, depths = encode(codec)
    d, logits = DEPTH[INSIDE], LOGITS[INSIDE]
    n = len(d)
    if codec == "continuous":
        s = sigmoid(logits[:, 0])
        l_int, expected = np.abs(s - level / (K - 1)).mean(), s * M
    else:
        p = softmax(logits)
        expected = (p * depths).sum(axis=1)
        if integer == "ordinal":
            l_int = 0.0
            for i in range(n):
                for k in range(K - 1):
                    above = p[i, k + 1 :].sum()
                    l_int -= np.log(above) if level[i] > k else np.log(1 - above)
            l_int /= n
        else:
            if integer == "cross_entropy":
                t = np.eye(K)[level.astype(int)]
            else:
                t = np.exp(-((centres[None] - x[:, None]) ** 2) / (2 * sigma**2))
                reach = int(np.ceil(4 * sigma))
                width = min(K, 2 * reach + 1)
                for i in range(n):
                    first = int(np.clip(level[i] - reach, 0, K - width))
                    t[i, :first] = 0
                    t[i, first + width :] = 0
                t /= t.sum(axis=1, keepdims=True)
            l_int = -(t * np.log(p)).sum() / n
        l_int += lse_weight * (np.log(np.exp(logits).sum(axis=1)) ** 2).mean()
    l_frac = np.abs(sigmoid(FRACTION[INSIDE]) - target).mean()
    l_cons = silog(expected, d, 0.85) if consistency == "silog" else np.abs(expected - d).mean()
    return l_int, l_frac, l_cons, l_int + 10 * l_frac + 0.5 * l_cons


def plain():
    d = DEPTH[INSIDE]
    p = m + (M - m) * sigmoid(LOGITS[INSIDE, 0])
    return np.abs(p - d).mean() / 10 + silog(p, d, 0.85)


if __name__ == "__main__":
    for arguments in [
        ("reflected", "soft_labels", "silog", 1.0, 0.0),
        ("reflected", "soft_labels", "silog", 0.4, 0.0),
        ("reflected", "cross_entropy", "l1", 1.0, 0.02),
        ("step", "ordinal", "silog", 1.0, 0.0),
        ("rounded", "soft_labels", "l1", 1.0, 0.0),
        ("rounded", "cross_entropy", "silog", 1.0, 0.0),
        ("continuous", "cross_entropy", "silog", 1.0, 0.0),
    ]:
        print(*arguments, *(f"{value:.9f}" for value in losses(*arguments)))
    print("plain", f"{plain():.9f}")
