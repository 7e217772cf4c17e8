"""A training's loss and gradients against the PyTorch twin's, weights shared."""

import functools

import jax
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack import config as config_lib
from jaxtrack import configs, trackers
from jaxtrack.models.backbones import efficientnet
from jaxtrack.ops import preprocess
from jaxtrack.weights.torch import state_dict_of
from tests.goldens import draw
from tests.networks import draw_variables

pytest.importorskip("torch", reason="torch is an extra", exc_type=ImportError)
pytestmark = pytest.mark.slow


@pytest.fixture
def smooth(monkeypatch):
    """Rounds the kinks of all activations off, in both libraries.

    Of a million units some lie so near to a kink that rounding puts them on the other
    side of it, which moves derivatives before it by thousandths.
    """
    import torch.nn.functional as F  # noqa: N812

    def patch(module, softplus):
        def relu(x, inplace=False):
            del inplace  # Which torch's modules pass.
            return softplus(x)

        monkeypatch.setattr(module, "relu", relu)
        monkeypatch.setattr(module, "relu6", lambda x: softplus(x) - softplus(x - 6.0))

    patch(nn, nn.softplus)
    patch(F, F.softplus)
    block = functools.partial(efficientnet.MBConv, activation=nn.relu6)
    monkeypatch.setattr(efficientnet, "MBConv", block)


def draw_batch(network, count):
    """Draws pairs of smooth pictures with boxes, the last of them without target."""
    rng = np.random.default_rng(0)
    sizes = network.geometry.template_size, network.geometry.search_size
    z_image, x_image = (
        rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8) for size in sizes
    )
    corners = np.sort(rng.uniform(60, 190, (count, 2, 2)), axis=1)
    corners[:, 1] += 25
    is_positive = np.arange(count) < count - 1
    return {
        "z_image": z_image,
        "x_image": x_image,
        "xyxy": np.float32(corners.reshape(count, 4)),
        "is_positive": is_positive,
    }


def our_gradients(config, network, variables, batch):
    """The loss and its derivatives by parameters, by their names in PyTorch."""
    family, pixels = trackers.family_of(config), config_lib.preprocessing(config)
    forward = nn.apply(
        family.forward(config, network), network, mutable=["batch_stats"]
    )
    loss = family.loss(config, network)
    keys = jax.random.split(jax.random.key(0), len(batch["xyxy"]))
    images = {
        name: preprocess.normalize(batch[name], pixels)
        for name in ("z_image", "x_image")
    }
    batch = {**batch, **images, "key": keys}

    def total(params):
        whole = {**variables, "params": params}
        outputs, _ = forward(whole, batch, train=True, train_backbone=True)
        return loss(outputs, batch)[0]

    value, gradients = jax.jit(jax.value_and_grad(total))(variables["params"])
    return float(value), state_dict_of(family.names(config), {"params": gradients})


@pytest.mark.parametrize("name", ["siamcar_lite0", "siamcar_r18", "siamcar_r50"])
def test_loss_and_gradients_are_the_twins(name, smooth):
    from benchmarks import twin_train

    config = trackers.with_preprocessing(configs.load(name))
    network = trackers.network_of(config, training=True)
    variables = draw_variables(name)
    batch = draw_batch(network, 3)
    loss, ours = our_gradients(config, network, variables, batch)
    trainer = twin_train.TwinTrainer(config, variables, train_backbone=True)
    twins_loss, theirs = trainer.gradients(batch)
    np.testing.assert_allclose(loss, twins_loss, rtol=1e-4)
    assert theirs.keys() <= ours.keys()
    # What the twin does not train has no gradient here.
    assert not any(np.any(ours[key]) for key in ours.keys() - theirs.keys())
    errors = {key: draw.relative_error(ours[key], theirs[key]) for key in theirs}
    worst = max(errors, key=errors.get)
    assert errors[worst] < 1e-4, (worst, errors[worst])
