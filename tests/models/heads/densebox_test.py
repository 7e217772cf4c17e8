"""Tests for jaxtrack.models.heads.densebox."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.models.heads.densebox import DenseboxHead

HEAD = DenseboxHead()


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def response(batch=2):
    return {"cls": normal(0, batch, 6, 7, 4), "box": normal(1, batch, 6, 7, 4)}


def drawn():
    """Variables of order one in place of those at the start, of order 1e-4."""
    rng = np.random.default_rng(2)
    shapes = jax.eval_shape(HEAD.init, jax.random.key(0), response())

    def draw(path, leaf):
        low = 0.5 if path[-1].key in ("var", "scale", "si") else -0.5
        return rng.uniform(low, low + 1, leaf.shape).astype(np.float32)

    return jax.tree_util.tree_map_with_path(draw, shapes)


def numpy_valid_conv(x, layer):
    kernel = layer["kernel"].astype(np.float64)
    size = kernel.shape[0]
    _, height, width, _ = x.shape
    rows, columns = height - size + 1, width - size + 1
    y = sum(
        x[:, u : u + rows, v : v + columns] @ kernel[u, v]
        for u in range(size)
        for v in range(size)
    )
    return y + layer["bias"]


def numpy_head(variables, response):
    """The definition, in float64."""
    params, stats = variables["params"], variables["batch_stats"]

    def tower(name, x):
        for i in (1, 2):
            x = np.maximum(numpy_valid_conv(x, params[f"{name}_conv{i}"]), 0)
        return x

    def output(name, x):
        x = numpy_valid_conv(x, params[f"{name}_conv"])
        bn = {**params[f"{name}_bn"], **stats[f"{name}_bn"]}
        x = (x - bn["mean"]) / np.sqrt(bn["var"].astype(np.float64) + 1e-5)
        return x * bn["scale"] + bn["bias"]

    cls, box = tower("cls", response["cls"]), tower("bbox", response["box"])
    log_ltrb = params["si"] * output("bbox_offsets", box) + params["bi"]
    return {
        "cls": output("cls_score", cls),
        "ltrb": 8 * np.exp(log_ltrb) + 0.5,
        "centerness": output("ctr_score", cls),
    }


def test_matches_definition():
    variables = drawn()
    outputs = jax.jit(HEAD.apply)(variables, response())
    expected = numpy_head(variables, response())
    assert set(outputs) == set(expected)
    for name, value in expected.items():
        assert outputs[name].shape == value.shape == (2, 2, 3, value.shape[-1])
        np.testing.assert_allclose(outputs[name], value, rtol=1e-4, atol=1e-5)


def test_outputs_at_the_start():
    """A probability of 0.01, and 8 exp(0) px and half a pixel to every side."""
    outputs, variables = jax.jit(HEAD.init_with_output)(jax.random.key(0), response())
    assert {k: v.shape for k, v in outputs.items()} == {
        "cls": (2, 2, 3, 1),
        "ltrb": (2, 2, 3, 4),
        "centerness": (2, 2, 3, 1),
    }
    np.testing.assert_allclose(jax.nn.sigmoid(outputs["cls"]), 0.01, rtol=0.01)
    # The last biases lie within 1 / sqrt(4): a factor of exp(0.5) either way.
    assert np.all(np.abs(np.log((outputs["ltrb"] - 0.5) / 8)) < 0.51)
    kernel = variables["params"]["cls_conv1"]["kernel"]
    np.testing.assert_allclose(np.std(kernel), 1e-4, rtol=0.2)


def test_training_normalizes_the_outputs_by_the_batch():
    """Logits have the mean and the deviation that their normalization says."""
    variables = drawn()
    run = jax.jit(lambda v, r: HEAD.apply(v, r, train=True, mutable=["batch_stats"]))
    outputs, new = run(variables, response(8))
    bn = variables["params"]["cls_score_bn"]
    np.testing.assert_allclose(np.mean(outputs["cls"]), bn["bias"][0], atol=1e-5)
    np.testing.assert_allclose(np.std(outputs["cls"]), bn["scale"][0], rtol=1e-3)
    assert set(new["batch_stats"]) == {
        "cls_score_bn",
        "ctr_score_bn",
        "bbox_offsets_bn",
    }


def test_which_response_each_output_listens_to():
    variables = drawn()

    def listens(name):
        def total(response):
            return jnp.sum(HEAD.apply(variables, response)[name])

        gradients = jax.jit(jax.grad(total))(response(1))
        return {k: bool(np.any(g)) for k, g in gradients.items()}

    assert listens("cls") == listens("centerness") == {"cls": True, "box": False}
    assert listens("ltrb") == {"cls": False, "box": True}


def test_bfloat16_gives_float32():
    variables = drawn()
    full = jax.jit(HEAD.apply)(variables, response())
    half = jax.jit(DenseboxHead(dtype=jnp.bfloat16).apply)(variables, response())
    for name, value in half.items():
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, full[name], rtol=0.2, atol=0.1)
        assert np.any(value != full[name])
