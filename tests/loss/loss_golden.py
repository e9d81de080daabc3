"""Losses of a small list of pixels, in NumPy from the formulas of the headers.

Prints the golden values of depth_loss_test.cpp and other_heads_loss_test.cpp: python3 tests/loss/loss_golden.py
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


def axis(d, spacing):
    """Position on the level axis, 0..K."""
    if spacing == "linear":
        return (d - m) / (M - m) * K
    if spacing == "log":
        return np.log(d / m) / np.log(M / m) * K
    return (1 / m - 1 / d) / (1 / m - 1 / M) * K


def depth_at(x, spacing):
    if spacing == "linear":
        return m + x / K * (M - m)
    if spacing == "log":
        return m * np.exp(x / K * np.log(M / m))
    return 1 / (1 / m - x / K * (1 / m - 1 / M))


def cumulative(weighting, spacing, consistency):
    d, z = DEPTH[INSIDE], LOGITS[INSIDE]
    k = np.arange(K)
    t = np.clip(axis(d, spacing)[:, None] - k, 0, 1)
    s = sigmoid(z)
    w = np.ones(K) if weighting == "uniform" else 1 / (depth_at(k + 0.5, spacing) + 2)
    w = w / w.sum() * K
    l_int = -(w * (t * np.log(s) + (1 - t) * np.log(1 - s))).sum(axis=1).mean() / K
    p = depth_at(s.sum(axis=1), spacing)
    l_cons = silog(p, d, 0.85) if consistency == "silog" else np.abs(p - d).mean()
    return l_int, l_cons, l_int + 0.5 * l_cons


def hilbert_points(order):
    """The curve in whole numbers, built of four copies of the curve of the order before."""
    if order == 0:
        return [(0, 0)]
    before, h = hilbert_points(order - 1), 2 ** (order - 1)
    return (
        [(j, i) for i, j in before]
        + [(i, j + h) for i, j in before]
        + [(i + h, j + h) for i, j in before]
        + [(2 * h - 1 - j, h - 1 - i) for i, j in before]
    )


def hilbert(order):
    d = DEPTH[INSIDE]
    points = np.array(hilbert_points(order)) / (2**order - 1)
    place = axis(d, "linear") / K * (4**order - 1)
    target = np.stack(
        [np.interp(place, np.arange(4**order), points[:, c]) for c in range(2)], axis=1
    )
    return np.abs(sigmoid(LOGITS[INSIDE, :2]) - target).mean()


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
    for arguments in [
        ("inverse_depth", "linear", "silog"),
        ("inverse_depth", "log", "l1"),
        ("uniform", "inverse", "silog"),
    ]:
        print("cumulative", *arguments, *(f"{value:.9f}" for value in cumulative(*arguments)))
    print("hilbert", f"{hilbert(2):.9f}")
