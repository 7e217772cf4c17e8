"""Tests for jaxtrack.models.two_stage, and CRACT's way through it in training."""

from functools import cache, partial
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.config import get_config
from jaxtrack.models.layers import Conv
from jaxtrack.models.norms import BatchNorm
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.ops.proposals import nms
from jaxtrack.trackers import cract
from tests.networks import build

PARTS = {"backbone", "neck", "correlation", "head", "fuse", "refiner"}


class Patches(nn.Module):
    """Stands for a backbone of stride 8: three levels of an image's 8 x 8 patches."""

    axis_name: str | None = None

    @nn.compact
    def __call__(self, image, *, train=False):
        levels = []
        for i, channels in enumerate((3, 4, 5)):
            x = Conv(channels, 8, stride=8, name=f"conv{i}")(image / 255)
            bn = BatchNorm(channels, axis_name=self.axis_name, name=f"bn{i}")
            a, b = (c[None, None, None] for c in bn.affine())
            levels.append(bn(x) if train else x * a + b)
        return tuple(levels)


def narrow(axis_name=None, **choices):
    """`cract_r18`, of few channels, on patches: 15 and 31 cells as it has."""
    model = build("cract_r18", axis_name=axis_name, **choices)
    parts = ("neck", "correlation", "head", "fuse")
    return model.clone(
        backbone=Patches(axis_name),
        refiner=model.refiner.clone(features=4, hidden=5),
        **{part: getattr(model, part).clone(features=6) for part in parts},
    )


@cache
def variables_of_narrow():
    """Parameters that are all different from each other, and from 0."""
    model = narrow()
    shapes = jax.eval_shape(model.init, jax.random.key(0), *images())
    rng = np.random.default_rng(0)

    def draw(keys, leaf):
        if keys[-1].key in ("scale", "var"):
            return rng.uniform(0.5, 1.5, leaf.shape).astype("f4")
        inputs = np.prod(leaf.shape[:-1])
        values = rng.standard_normal(leaf.shape) * np.sqrt(2 / inputs)
        # Else anchors are sure of their class, and boxes are endless.
        small = 0.001 if keys[-2].key.endswith("2_out") else 1.0
        return (small * values).astype("f4")

    return jax.tree_util.tree_map_with_path(draw, shapes)


def images(count=2, sizes=(127, 255)):
    rng = np.random.default_rng(0)
    return [rng.uniform(0, 255, (count, s, s, 3)).astype("f4") for s in sizes]


def forward_with(propose, model):
    """Returns CRACT's way through the network, of `propose(maps)` for its draw.

    It takes two images, the target's boxes in the first, and modes.
    """
    with mock.patch.object(cract, "make_sample", lambda *_: lambda m, _: propose(m)):
        forward = cract.FAMILY.forward(get_config(), model)

    def call(network, z, x, z_xyxy=None, train=False, train_backbone=False):
        batch = {"z_image": z, "x_image": x, "z_xyxy": z_xyxy}
        return forward(network, batch, train=train, train_backbone=train_backbone)

    return partial(model.apply, method=call)


def boxes_for(count=2, proposals=3, seed=0):
    """Boxes that lie well in a search crop."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(20, 150, (count, proposals, 2))
    size = rng.uniform(30, 90, (count, proposals, 2))
    return jnp.asarray(np.concatenate([low, low + size], axis=-1), jnp.float32)


def numpy_proposals(outputs, model):
    """The ten best boxes by definition, for one example."""
    tiles = np.asarray(anchor_boxes.tile(grid.points(model.geometry), model.anchors))
    size = tiles[..., 2:] - tiles[..., :2]
    deltas = np.asarray(outputs["deltas"], np.float64)
    center = tiles[..., :2] + size / 2 + deltas[..., :2] * size
    half = size * np.exp(np.clip(deltas[..., 2:], -4, 4)) / 2
    found = np.concatenate([center - half, center + half], axis=-1).reshape(-1, 4)
    margin = np.asarray(outputs["cls"][..., 1] - outputs["cls"][..., 0]).reshape(-1)
    best = np.argsort(-margin, kind="stable")[:256]
    kept, _ = nms(
        jnp.asarray(found[best], jnp.float32), margin[best], count=10, iou_threshold=0.5
    )
    return found[best[kept]]


@cache
def whole_and_parts():
    """What one call gives, then what encoding, predicting and refining give apart."""
    model, variables = narrow(), variables_of_narrow()

    @jax.jit
    def both(z, x):
        whole = model.apply(variables, z, x)
        z = model.apply(variables, z, method="encode_template")
        x = model.apply(variables, x, method="encode_search")
        maps = model.apply(variables, z, x, method="predict")
        refined = model.apply(variables, z, x, whole["proposals"], method="refine")
        return whole, maps, refined, z, x

    return both(*images())


def test_one_call_is_its_parts():
    whole, maps, refined, z, x = whole_and_parts()
    assert set(z) == {"rpn", "target"} and set(x) == {"rpn", "fused"}
    assert z["rpn"][0].shape == (2, 7, 7, 6) and x["rpn"][0].shape == (2, 31, 31, 6)
    assert z["target"].shape == (2, 6, 6, 18) and x["fused"].shape == (2, 31, 31, 6)
    assert set(refined) - set(whole) == {"pooled"}
    parts = {**maps, **refined}
    for name, value in whole.items():
        assert np.all(np.isfinite(value)), name
        if name != "proposals":
            np.testing.assert_allclose(parts[name], value, rtol=1e-4, atol=1e-3)


def test_the_ten_best_are_refined_unless_told_otherwise():
    whole, maps, *_ = whole_and_parts()
    assert 0.1 < np.std(maps["deltas"]) < 1 and 0.1 < np.std(maps["cls"]) < 3
    for i in range(2):
        one = {name: value[i] for name, value in maps.items()}
        expected = numpy_proposals(one, narrow())
        np.testing.assert_allclose(
            whole["proposals"][i], expected, rtol=1e-4, atol=1e-2
        )


def test_a_target_is_described_alike_in_both_crops():
    """The template's crop, pasted 8 cells from the search crop's left and 5 from its
    top, has the same features under the box moved by as many pixels."""
    model, variables = narrow(), variables_of_narrow()
    z_image, x_image = images(count=1)
    x_image[:, 40 : 40 + 127, 64 : 64 + 127] = z_image
    z_xyxy = jnp.array([[31.0, 20.0, 83.0, 95.0]])
    moved = z_xyxy + jnp.array([[64.0, 40.0, 64.0, 40.0]])

    @jax.jit
    def described(z_image, x_image):
        z = model.apply(variables, z_image, z_xyxy, method="encode_template")
        x = model.apply(variables, x_image, method="encode_search")
        return z["target"], model.refiner.pool(x["fused"], moved[:, None])[:, 0]

    target, found = described(z_image, x_image)
    assert np.std(target) > 0.1
    np.testing.assert_allclose(found, target, rtol=1e-4, atol=1e-4)


def test_the_box_says_what_the_target_is():
    model, variables = narrow(), variables_of_narrow()
    encode = jax.jit(partial(model.apply, variables, method="encode_template"))
    z_image, _ = images()
    central = jnp.array([[127 / 4, 127 / 4, 127 * 3 / 4, 127 * 3 / 4]] * 2)
    without, within = encode(z_image), encode(z_image, central)
    np.testing.assert_allclose(without["target"], within["target"], rtol=1e-5)
    other = encode(z_image, central.at[1].add(16.0))
    np.testing.assert_array_equal(other["rpn"][0], within["rpn"][0])
    np.testing.assert_array_equal(other["target"][0], within["target"][0])
    assert np.abs(other["target"][1] - within["target"][1]).max() > 0.1
    # And it reaches the refinement through the whole network.
    apply = forward_with(lambda _: boxes_for(), model)
    apply = jax.jit(partial(apply, variables, *images()))
    first, second = apply(central), apply(central.at[1].add(16.0))
    np.testing.assert_array_equal(first["cls"], second["cls"])
    for name in ("offsets", "identity"):
        np.testing.assert_array_equal(first[name][0], second[name][0])
        assert np.any(first[name][1] != second[name][1]), name


def train_once(model, variables, z, x):
    """Outputs for three boxes an example, new statistics, gradients."""

    def loss(params):
        given = {**variables, "params": params}
        seen = {}

        def propose(outputs):
            seen.update(outputs)
            return boxes_for(len(z))

        modes = {"train": True, "train_backbone": True, "mutable": ["batch_stats"]}
        outputs, new = forward_with(propose, model)(given, z, x, **modes)
        assert set(seen) == {"cls", "deltas"}
        order = {
            k: jnp.arange(v.size).reshape(v.shape) / v.size for k, v in seen.items()
        }
        total = sum(jnp.mean(order[k] * outputs[k]) for k in seen)
        total += jnp.mean(outputs["offsets"] ** 2) + jnp.mean(outputs["identity"] ** 2)
        return total, (outputs, new["batch_stats"])

    gradients, aux = jax.grad(loss, has_aux=True)(variables["params"])
    return *aux, gradients


@cache
def trained():
    step = jax.jit(partial(train_once, narrow()))
    return step(variables_of_narrow(), *images(count=4))


def test_what_is_proposed_is_refined():
    outputs, _, _ = trained()
    np.testing.assert_array_equal(outputs["proposals"], boxes_for(4))
    assert outputs["identity"].shape == (4, 3, 2)


def test_no_gradient_goes_through_what_is_proposed():
    """Even if the boxes are the maps' own numbers."""
    variables = variables_of_narrow()

    def loss(params):
        apply = forward_with(lambda maps: maps["deltas"][:, 0, :3, 0], narrow())
        outputs = apply({**variables, "params": params}, *images())
        same = outputs["deltas"][:, 0, :3, 0] - outputs["proposals"]
        return jnp.sum(outputs["proposals"]), jnp.max(jnp.abs(same))

    gradients, difference = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    assert difference == 0
    assert not any(np.any(gradient) for gradient in jax.tree.leaves(gradients))


def test_training_moves_everything():
    """Every parameter has a gradient, every normalization gathers statistics."""
    _, stats, gradients = trained()
    for keys, gradient in jax.tree_util.tree_flatten_with_path(gradients)[0]:
        path = [key.key for key in keys]
        assert np.all(np.isfinite(gradient)), path
        # The backbone's first level (phi_2) is used by nothing.
        assert np.any(gradient) == (path[1] not in ("conv0", "bn0")), path
    old = variables_of_narrow()["batch_stats"]
    assert set(stats) == PARTS - {"refiner"}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(old)[0]:
        path = [key.key for key in keys]
        new = stats
        for key in path:
            new = new[key]
        assert np.all(new != leaf), path


def forward(model, z, x, **modes):
    """Outputs for three boxes an example, and new statistics."""
    apply = forward_with(lambda _: boxes_for(len(z)), model)
    return apply(variables_of_narrow(), z, x, mutable=["batch_stats"], **modes)


def parts_that_move(stats):
    """Parts of which statistics, all of them, are not what they were."""
    old = variables_of_narrow()["batch_stats"]
    moved = jax.tree.map(lambda a, b: bool(np.any(a != b)), stats, old)
    moved = {part: set(jax.tree.leaves(tree)) for part, tree in moved.items()}
    assert all(len(values) == 1 for values in moved.values()), moved
    return {part for part, values in moved.items() if values == {True}}


@pytest.mark.parametrize("method", ["encode_template", "encode_search"])
def test_modes_reach_the_parts_of_each_crop(method):
    variables, (image, _) = variables_of_narrow(), images()

    def encode(**modes):
        options = {"method": method, "mutable": ["batch_stats"], **modes}
        return narrow().apply(variables, image, **options)[1]["batch_stats"]

    modes = {}, {"train": True}, {"train_backbone": True}
    encoded = jax.jit(lambda: [encode(**mode) for mode in modes])()
    neither, train, train_backbone = map(parts_that_move, encoded)
    assert neither == set()
    assert train == {"neck", "fuse"}
    assert train_backbone == {"backbone"}


def test_a_backbone_that_does_not_train_keeps_its_statistics():
    _, new = jax.jit(partial(forward, narrow(), train=True))(*images())
    moved = parts_that_move(new["batch_stats"])
    assert moved == {"neck", "fuse", "correlation", "head"}


def test_two_devices_normalize_as_one():
    outputs, stats, _ = trained()
    halves = [a.reshape(2, 2, *a.shape[1:]) for a in images(count=4)]
    found, new = jax.pmap(
        partial(forward, narrow("device"), train=True, train_backbone=True),
        axis_name="device",
        devices=jax.devices()[:2],
    )(*halves)
    for name in ("cls", "deltas"):
        together = found[name].reshape(outputs[name].shape)
        np.testing.assert_allclose(together, outputs[name], rtol=1e-3, atol=1e-3)
    for device in range(2):
        of_one = jax.tree.map(lambda leaf, d=device: leaf[d], new["batch_stats"])
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4), of_one, stats
        )


def test_bfloat16_is_near_and_ends_in_float32():
    exact, *_ = whole_and_parts()
    apply = forward_with(lambda _: exact["proposals"], narrow(dtype="bfloat16"))
    near = jax.jit(partial(apply, variables_of_narrow()))(*images())
    for name in ("cls", "deltas", "offsets", "identity"):
        assert near[name].dtype == jnp.float32
        error = np.linalg.norm(near[name] - exact[name])
        assert 0 < error < 0.1 * np.linalg.norm(exact[name]), name
