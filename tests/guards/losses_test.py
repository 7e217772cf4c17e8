"""Guards each total loss: its value, metrics and slopes by the network's outputs.

Settings of the groups labels, loss and refinement all have values other than the
defaults, in two cases a loss. Slopes are kept as products with fixed directions.
That N devices give one device's loss and labels is tested in
`tests/trackers/settings_test.py`, that op by op, jitted and pmapped losses agree in
`tests/trackers/*_loss_test.py`, that steps on N devices equal one in
`tests/training/step_test.py`.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.guards import adapter, store

NAME = "losses.json"
SIZE = 4
DIRECTIONS = 6
WINDOW = {"sampled_positives": 9, "sampled_negatives": 30, "negative_pairs": "window"}
CASES = {
    "siamcar rectangle": {
        **{"positive_size": 0.7, "positive_min_half": 30.0, "ignore_inside": True},
        **{"regression": "giou", "quality": "iou", "centerness_weighted": False},
        **{"hard_negatives": 7, "cls_weights": (0.5, 0.3, 0.2)},
        **{"loss_weights": (1.5, 2.0, 0.7)},
    },
    "siamcar circle": {
        **{"assigner": "circle", "positive_radius": 20.0, "ignore_radius": 40.0},
        **{"regression": "iou", "quality": "centerness", "centerness_weighted": True},
        **{"hard_negatives": 0, "cls_weights": (0.6, 0.4, 0.0)},
        **{"negative_pairs": "positives", "loss_weights": (1.0, 2.5, 0.5)},
    },
    "siamla dla": {
        **{"assigner": "dla", "dla_points": 30, "dla_empty": "argmax"},
        **{"dla_negatives": 3, "virtual_anchor": 48.0, "label_smoothing": 0.3},
        **{"label_alpha": 0.4, "label_beta": 6.0, "negative_target": "iou"},
        **{"loss_weights": (1.2, 2.0, 0.7), "regression": "giou"},
        **{"cls_weights": (0.5, 0.3, 0.2), "hard_negatives": 9},
    },
    "siamla rectangle": {
        **{"label_curve": "linear", "label_normalize": False, "label_smoothing": 0.3},
        **{"negative_weight_gradient": False, "cls_reduction": "positives"},
        **{"boundary_regression": False, "positive_size": 0.6, "ignore_inside": False},
    },
    "siamla region": {
        **{"labels": "region", "assigner": "ellipse", "cls_reduction": "cells"},
        **{"localization": "centerness", "quality": "iou", **WINDOW},
    },
    "siamrpnpp iou": {
        **{"iou_high": 0.45, "iou_low": 0.25, "regression": "smooth_l1", **WINDOW},
        **{"loss_weights": (1.1, 1.7, 0.0)},
    },
    "siamrpnpp dla": {
        **{"assigner": "dla", "dla_points": 25, "dla_empty": "skip"},
        **{"hard_negatives": 5, "cls_weights": (0.5, 0.3, 0.2)},
        **{"negative_pairs": "all", "dla_negatives": 6},
    },
    "siamfcpp ellipse": {
        **{"assigner": "ellipse", "focal_alpha": 0.6, "focal_gamma": 1.5},
        **{"regression": "giou", "quality": "iou", "loss_weights": (0.8, 2.0, 1.3)},
    },
    "siamfcpp dla": {
        **{"assigner": "dla", "dla_points": 16, "dla_ddof": 0, "dla_empty": "skip"},
        **{"virtual_anchor": 60.0, "negative_pairs": "all", "quality": "centerness"},
        **{"regression": "iou", "centerness_weighted": True},
    },
    "cract cascade": {
        **{"refine__train_proposals": 24, "refine__train_nms_iou": 0.3},
        **{"refine__samples": 14, "refine__positives": 5, "refine__jittered": 6},
        **{"refine__positive_iou": 0.45, "refine__loss_weights": (0.6, 1.4)},
        **{"regression": "smooth_l1", "iou_high": 0.5, "loss_weights": (1.3, 0.9, 0)},
    },
    "cract parallel": {
        **{"refinement": "parallel", "assigner": "rectangle", "positive_size": 0.6},
        **{"refine__positives": 3, "regression": "iou"},
    },
}


def scene(family, model):
    """Returns random outputs of a network, and a batch; one example lacks a target."""
    rng = np.random.default_rng(11)
    cells, side = model.geometry.response_size, model.geometry.search_size
    center, half = rng.uniform(90, 160, (SIZE, 2)), rng.uniform(20, 50, (SIZE, 2))
    batch = {
        "xyxy": np.concatenate([center - half, center + half], 1),
        "z_xyxy": np.tile([37.0, 30.0, 91.0, 98.0], (SIZE, 1)),
        "is_positive": np.arange(SIZE) != 2,
    }
    count = len(model.anchors)
    sizes = {"cls": (count, 2), "deltas": (count, 4)}
    if not count:
        quality = "localization" if "branch" in str(model.head) else "centerness"
        sizes = {"cls": (2 if family == "siamcar" else 1,), "ltrb": (4,), quality: (1,)}
    outputs = {
        name: rng.standard_normal((SIZE, cells, cells, *size))
        for name, size in sizes.items()
    }
    if count:
        outputs["deltas"] = 0.3 * outputs["deltas"]
    else:
        # Boxes near the target's: distances of the cell's center, by a third off.
        x = model.geometry.offset + model.geometry.stride * np.arange(cells)
        xy = np.stack(np.meshgrid(x, x), -1)
        box = batch["xyxy"][:, None, None]
        truth = np.concatenate([xy - box[..., :2], box[..., 2:] - xy], -1)
        outputs["ltrb"] = np.maximum(truth, 4) * np.exp(0.3 * outputs["ltrb"])
    outputs, batch = jax.tree.map(
        lambda a: jnp.asarray(a, None if a.dtype == bool else jnp.float32),
        (outputs, batch),
    )
    assert side == 256
    return outputs, {**batch, "key": jax.random.split(jax.random.key(3), SIZE)}


def refined(proposals):
    """Returns what a refinement might say of proposals."""
    rng = np.random.default_rng(12)
    size, count = proposals.shape[:2]
    outputs = {
        "proposals": proposals,
        "aligned": proposals + 4 * rng.standard_normal(proposals.shape),
        "offsets": rng.standard_normal((size, count, 4)),
        "identity": rng.standard_normal((size, count, 2)),
    }
    return {name: jnp.asarray(value, jnp.float32) for name, value in outputs.items()}


def compute(case):
    """Returns a case's loss, metrics, slopes and, of CRACT, drawn proposals."""
    family = case.split()[0]
    config = adapter.settings(f"{family}_lite0", **CASES[case])
    model = adapter.network(config)
    outputs, batch = scene(family, model)
    found = {}
    if case == "cract cascade":
        proposals = jax.jit(adapter.draw_proposals(config, model))(outputs, batch)
        found["proposals"] = store.rounded(np.sort(proposals.reshape(SIZE, -1))[:, ::5])
        outputs |= refined(np.asarray(proposals))
    elif family == "cract":
        noise = np.random.default_rng(13).standard_normal((SIZE, 12, 4))
        outputs |= refined(np.asarray(batch["xyxy"])[:, None] + 14 * noise)
    call = jax.jit(jax.value_and_grad(adapter.loss(config, model), has_aux=True))
    (loss, metrics), slopes = call(outputs, batch)
    found["loss"] = store.rounded(loss)[0]
    for name, value in metrics.items():
        found[f"metric {name}"] = store.rounded(value)[0]
    for name, slope in slopes.items():
        found[f"slope {name}"] = projected(name, slope)
    return found


def projected(name, slope):
    """Returns the norm of a slope and its products with directions that are drawn."""
    slope = np.ravel(np.asarray(slope, np.float64))
    rng = np.random.default_rng([len(name), slope.size])
    products = rng.standard_normal((DIRECTIONS, slope.size)) @ slope
    return store.rounded([np.linalg.norm(slope), *products])


def make():
    store.write(NAME, {case: compute(case) for case in CASES})


@pytest.mark.parametrize("case", CASES)
def test_value_and_slopes_are_what_they_were(case):
    found, expected = compute(case), store.read(NAME)[case]
    # Slopes are sums over thousands of cells, in another order with another version of
    # the compiler: 1e-4 of their norm.
    for name, values in expected.items():
        if name.startswith("slope"):
            norm = values[0]
            store.assert_close(found.pop(name), values, atol=1e-4 * norm, where=name)
    expected = {n: v for n, v in expected.items() if not n.startswith("slope")}
    store.assert_close(found, expected, rtol=1e-5, atol=1e-5)
