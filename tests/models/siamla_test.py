"""Tests for jaxtrack.models.siamla."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack import models
from jaxtrack.configs import siamla_lite0
from jaxtrack.errors import InputError
from jaxtrack.models.siamla import LOCALIZATIONS

from .conftest import draw_variables

NAMES = ["siamla_r50", "siamla_lite0"]


def abstract(name, **options):
    """Shapes of a model's outputs and parameters on its own crops."""
    model = models.build(name, **options)
    sizes = (model.geometry.template_size, model.geometry.search_size)
    z, x = (jax.ShapeDtypeStruct((2, s, s, 3), jnp.float32) for s in sizes)
    outputs, variables = jax.eval_shape(model.init_with_output, jax.random.key(0), z, x)
    return outputs, variables["params"]


@pytest.mark.parametrize("localization", LOCALIZATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_outputs_fit_the_geometry(name, localization):
    outputs, params = abstract(name, localization=localization)
    cells = models.build(name).geometry.response_size
    quality = "centerness" if localization == "centerness" else "localization"
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, cells, cells, 1), jnp.float32),
        "ltrb": ((2, cells, cells, 4), jnp.float32),
        quality: ((2, cells, cells, 1), jnp.float32),
    }
    assert set(params) == {"backbone", "neck", "correlation", "head"}


def count(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_published_parameters():
    """SiamCAR's 5,856,775 behind the backbone, and what SiamLA adds to them.

    One logit less (9 * 256 + 1) and no centre-ness (9 * 256 + 1); a tower of four
    3 x 3 convolutions with bias and group norms; the embedding's 3 -> 256; query, key
    and value 256 -> 128 and out 128 -> 256; 5 x 256 -> 256 without and one bias; the
    last 3 x 3 convolution.
    """
    _, params = abstract("siamla_r50")
    behind = count(params) - count(params["backbone"])
    tower = 4 * (9 * 256 * 256 + 256 + 2 * 256)
    non_local = 3 * (256 * 128 + 128) + 128 * 256 + 256
    points = 5 * 256 * 256 + 256
    last = 9 * 256 + 1
    branch = tower + (3 * 256 + 256) + non_local + points + last
    assert behind == 5_856_775 - 2 * (9 * 256 + 1) + branch


def test_lite_is_small():
    _, params = abstract("siamla_lite0")
    assert 0.85e6 < count(params) < 0.9e6


def test_template_once_equals_the_whole():
    """Encoding and predicting apart give what one call gives; all is finite."""
    model = models.build("siamla_lite0")
    variables = draw_variables("siamla_lite0")
    rng = np.random.default_rng(0)
    z, x = (rng.standard_normal((1, s, s, 3), np.float32) for s in (128, 256))

    def apart(z, x):
        z = model.apply(variables, z, method="encode_template")
        x = model.apply(variables, x, method="encode_search")
        return model.apply(variables, z, x, method="predict")

    whole, parts = jax.jit(lambda z, x: (model.apply(variables, z, x), apart(z, x)))(
        z, x
    )
    for name, value in whole.items():
        assert np.all(np.isfinite(value))
        np.testing.assert_allclose(parts[name], value, rtol=1e-4, atol=1e-4)


def test_settings_reach_the_network():
    config = siamla_lite0.get_config()
    assert models.from_config(config) == models.build("siamla_lite0")
    config.localization = "tower"
    expected = models.build("siamla_lite0", localization="tower")
    assert models.from_config(config) == expected
    config.dtype = "bfloat16"
    assert models.from_config(config).head.branch.dtype == jnp.bfloat16


def test_a_missing_setting_is_an_error():
    for field in ("localization", "train_search_size"):
        config = siamla_lite0.get_config().unlock()
        del config[field]
        with pytest.raises(AttributeError, match=field):
            models.from_config(config, training=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("siamla_r50", "siamla_r50 has lafa, aggregation, .*, not 'lava'"),
        ("siamcar_r50", "siamcar_r50 has centerness, not 'lava'"),
        ("siamcar_lite0", "siamcar_lite0 has centerness, not 'lava'"),
    ],
)
def test_unknown_choices_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        models.build(name, localization="lava")
