"""Batches without a target, or with maps that are not finite, for tests of losses."""

import jax
import numpy as np

# Case -> what it makes of the boxes; none of them is a target any more.
BOXES = {
    "no target": lambda xyxy: xyxy.fill(0),
    "nan": lambda xyxy: xyxy.fill(np.nan),
    "infinite": lambda xyxy: np.copyto(xyxy, [0, 0, np.inf, np.inf]),
    "empty": lambda xyxy: np.copyto(xyxy[:, 2:], xyxy[:, :2]),
}
# What the last example's map of boxes is filled with; that example has no target.
MAPS = {"overflow": np.inf}
CASES = (*BOXES, *MAPS)


def spoil(case, xyxy, regressed):
    """Spoils the boxes `[2, 4]` of a batch, or the second map of what is regressed."""
    if case in BOXES:
        BOXES[case](xyxy)
    else:
        regressed[1] = MAPS[case]


def check_finite(result, idle):
    """Checks that all is finite, the class is learnt and `idle` metrics are 0."""
    (loss, metrics), gradients = result
    assert np.isfinite(loss)
    assert all(np.isfinite(m) for m in metrics.values())
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradients))
    assert np.abs(gradients["cls"]).max() > 0
    assert [metrics[name] for name in idle] == [0] * len(idle)
