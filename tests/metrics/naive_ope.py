"""One-pass evaluation as each toolkit defines it, a frame at a time, in plain Python.

Written from the toolkits' definitions, not from jaxtrack: no arrays, no shared rules.
Every function scores one sequence and returns three lists of hits, one list of bools a
threshold, and the denominator. Results are expected to be repaired already.
"""

import itertools
import math

import numpy as np

PIXELS = [float(k) for k in range(51)]
NORMS = [k / 100 for k in range(51)]
STEPS = [0.05 * k for k in range(21)]
INF = math.inf


def area(box):
    return box[2] * box[3]


def pixel_iou(p, g):
    """OTB's and its followers': the last pixel is x + w - 1."""
    sides = []
    for k in (0, 1):
        end = min(p[k] + p[k + 2] - 1, g[k] + g[k + 2] - 1)
        sides.append(max(0.0, end - max(p[k], g[k]) + 1))
    inter = sides[0] * sides[1]
    return inter / (area(p) + area(g) - inter)


def plain_iou(p, g, epsilon=0.0):
    sides = [
        max(0.0, min(p[k] + p[k + 2], g[k] + g[k + 2]) - max(p[k], g[k]))
        for k in (0, 1)
    ]
    inter = sides[0] * sides[1]
    union = area(p) + area(g) - inter + epsilon
    return min(1.0, max(0.0, inter / union))


def center(box):
    return [box[k] + (box[k + 2] - 1) / 2 for k in (0, 1)]


def distance(a, b):
    return math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)


def scaled(box, size):
    return [c / s for c, s in zip(center(box), size, strict=True)]


def has_nan(box):
    return any(math.isnan(v) for v in box)


def otb(truth, predicted):
    rows = []
    for i, g in enumerate(truth):
        p = g if i == 0 else predicted[i]
        if all(v > 0 for v in g):
            error = round(distance(center(p), center(g)), 4)
            norm = distance(scaled(p, g[2:]), scaled(g, g[2:]))
            rows.append((pixel_iou(p, g), error, norm))
        else:
            rows.append((-1, -1, -1))
    return rows, len(truth)


def lasot(truth, predicted, absent):
    rows = []
    for i, g in enumerate(truth):
        p = g if i == 0 else predicted[i]
        if absent[i]:
            continue
        if all(v > 0 for v in g):
            norm = distance(scaled(p, g[2:]), scaled(g, g[2:]))
            rows.append((pixel_iou(p, g), distance(center(p), center(g)), norm))
        else:
            rows.append((-1, -1, -1))
    return rows, len(truth)


def pysot(truth, predicted, absent=None):
    rows = []
    for i, (g, p) in enumerate(zip(truth, predicted, strict=True)):
        if absent is not None and absent[i]:
            continue
        iou = plain_iou(p, g) if g[2] > 0 and g[3] > 0 else -1
        error = distance(center(p), center(g)) if min(center(g)) > 0 else -1
        if has_nan(g):
            rows.append((-1, -1, -1))
            continue
        size = [g[2] + 1e-16, g[3] + 1e-16]
        norm = distance(scaled(p, size), scaled(g, size))
        rows.append((iou, error, norm if min(scaled(g, size)) > 0 else -1))
    return rows, len(truth)


def pytracking(truth, predicted, dataset, visible=None):
    rows = []
    for i, g in enumerate(truth):
        p = g if i == 0 else predicted[i]
        seen = visible is None or visible[i]
        if g[2] > 0 and g[3] > 0 and seen:
            norm = distance(scaled(p, g[2:]), scaled(g, g[2:]))
            rows.append((pixel_iou(p, g), distance(center(p), center(g)), norm))
        elif dataset == "lasot" and not seen:
            rows.append((-1, INF, INF))
        else:
            rows.append((-1, -1 if dataset == "uav" else INF, -1))
    return rows, len(truth)


def got10k_like(truth, predicted, drops_nan):
    rows = []
    for i, g in enumerate(truth):
        p = g if i == 0 else predicted[i]
        if has_nan(g):
            if not drops_nan:
                rows.append((-1, INF, INF))
            continue
        a, b = center(p), center(g)
        norm = math.sqrt(sum(((a[k] - b[k]) / max(1.0, g[k + 2])) ** 2 for k in (0, 1)))
        rows.append((plain_iou(p, g, np.finfo(float).eps), distance(a, b), norm))
    return rows, len(rows)


def bounded(box, size):
    x, y = (min(max(box[k], 0.0), size[k]) for k in (0, 1))
    w, h = min(max(box[2], 0.0), size[0] - x), min(max(box[3], 0.0), size[1] - y)
    return [x, y, w, h]


def got10k(truth, predicted, cover, size):
    rows = []
    for i in range(1, len(truth)):
        if cover[i] > 0:
            p, g = predicted[i], truth[i]
            a, b = center(p), center(g)
            norm = [(a[k] - b[k]) / max(1.0, g[k + 2]) for k in (0, 1)]
            iou = plain_iou(bounded(p, size), bounded(g, size), np.finfo(float).eps)
            rows.append((iou, distance(a, b), math.hypot(*norm)))
    return rows, len(rows)


def trackingnet(truth, predicted):
    rows = []
    for i, g in enumerate(truth):
        p = g if i == 0 else predicted[i]
        if has_nan(g) or has_nan(p):
            rows.append((-1, INF, INF))
            continue
        # Python's round and numpy's go to the even integer alike.
        p, g = [float(round(v)) for v in p], [float(round(v)) for v in g]
        d = [p[k] + (p[k + 2] + 1) / 2 - g[k] - (g[k + 2] + 1) / 2 for k in (0, 1)]
        iou = pixel_iou(p, g) if area(p) or area(g) else -1
        norm = INF
        if g[2] and g[3]:
            norm = math.sqrt(sum(d[k] / g[k + 2] * d[k] / g[k + 2] for k in (0, 1)))
        rows.append((iou, math.hypot(*d), norm))
    return rows, len(truth)


def frames_of(protocol, truth, predicted, absent, cover, size):
    """Rows of (IoU, center error, normalized error) and the denominator."""
    if protocol == "otb":
        return otb(truth, predicted)
    if protocol == "lasot":
        return lasot(truth, predicted, absent)
    if protocol == "pysot":
        return pysot(truth, predicted)
    if protocol == "pysot_lasot":
        return pysot(truth, predicted, absent)
    if protocol == "pytracking_lasot":
        return pytracking(truth, predicted, "lasot", [not flag for flag in absent])
    if protocol.startswith("pytracking"):
        return pytracking(truth, predicted, protocol.removeprefix("pytracking_"))
    if protocol == "got10k":
        return got10k(truth, predicted, cover, size)
    if protocol.startswith("got10k"):
        return got10k_like(truth, predicted, protocol != "got10k_otb")
    return trackingnet(truth, predicted)


def grids(protocol):
    if protocol == "otb":
        return [k / 20 for k in range(21)], PIXELS, NORMS
    if protocol == "got10k":
        return np.linspace(0, 1, 101), PIXELS, np.linspace(0, 0.5, 51)
    if protocol.startswith("got10k"):
        return np.linspace(0, 1, 21), PIXELS, np.linspace(0, 0.5, 51)
    if protocol == "trackingnet":
        return (np.linspace(0, top, 21) for top in (1, 50, 0.5))
    return STEPS, PIXELS, NORMS


def curves_of(protocol, rows, total):
    overlaps, pixels, norms = grids(protocol)
    reaches = protocol == "trackingnet"
    above = [sum(r[0] >= t if reaches else r[0] > t for r in rows) for t in overlaps]
    return [
        [count / total for count in above],
        [sum(r[1] <= t for r in rows) / total for t in pixels],
        [sum(r[2] <= t for r in rows) / total for t in norms],
    ]


def trapezoids(curve):
    step = 1 / (len(curve) - 1)
    return sum((a + b) / 2 * step for a, b in itertools.pairwise(curve))


def score(protocol, truth, results, absent, cover, sizes):
    """The three numbers and curves, over all sequences."""
    scored = {}
    for name in truth:
        rows = truth[name].tolist(), results[name].tolist()
        labels = absent[name], cover[name], sizes[name]
        scored[name] = frames_of(protocol, *rows, *labels)
    if protocol == "got10k":
        rows = [row for rows, _ in scored.values() for row in rows]
        means = curves_of(protocol, rows, len(rows))
    else:
        each = [curves_of(protocol, rows, total) for rows, total in scored.values()]
        means = []
        for kind in range(3):
            kept = [c[kind] for c in each if protocol != "lasot" or sum(c[kind]) > 0]
            means.append([sum(v) / len(kept) for v in zip(*kept, strict=True)])
    success, precision, norm = means
    if protocol == "trackingnet":
        auc, at_20, at_02 = map(trapezoids, means)
    else:
        auc, at_20, at_02 = sum(success) / len(success), precision[20], norm[20]
        if protocol.startswith("got10k"):
            at_02 = sum(norm) / len(norm)
    half = (len(success) - 1) // 2
    return {
        "auc": auc,
        "precision": at_20,
        "norm_precision": at_02,
        "sr50": success[half],
        "sr75": success[half * 3 // 2],
        "success_curve": success,
        "precision_curve": precision,
        "norm_precision_curve": norm,
    }
