"""Tests for benchmarks.twin."""

import jax
import numpy as np
import pytest

from tests.goldens.draw import relative_error
from tests.networks import build, configure, draw_variables

pytest.importorskip("torch", reason="torch is an extra", exc_type=ImportError)


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        ("siamcar_lite0", True),
        ("siamcar_lite0", False),
        ("siamcar_r18", True),
        pytest.param("siamcar_r50", True, marks=pytest.mark.slow),
    ],
)
def test_twin_agrees(name, frozen):
    import torch

    from benchmarks import twin

    model, variables = build(name), draw_variables(name)
    rng = np.random.default_rng(0)
    size = model.geometry.template_size
    crops = [rng.standard_normal((1, size, size, 3), np.float32) for _ in range(2)]
    ours = jax.jit(model.apply)(variables, *crops)
    network = twin.build(configure(name), variables, frozen=frozen)
    with torch.no_grad():
        theirs = network(*(torch.tensor(c.transpose(0, 3, 1, 2)) for c in crops))
    for key, value in ours.items():
        error = relative_error(value.transpose(0, 3, 1, 2), theirs[key].numpy())
        assert error < 1e-4, (key, error)
    trained = {
        n.split(".")[0] for n, p in network.named_parameters() if p.requires_grad
    }
    assert ("backbone" in trained) is not frozen
