"""CRACT's discriminator, a classifier that is trained during tracking.

One convolution and two fully connected layers score the features of a box: about 1 for
the target and 0 for anything else (C10, C11, C14; the sizes are ours, the paper's
are in a supplement that is not public).

    D(X) = fc2(leaky(fc1(flatten(relu(conv(X / rms(X)))))))

    loss(w) = sum_j gamma_j (D(X_j; w) - Y_j)^2 + sum_i lambda_i ||w_i||^2

Fan and Ling, CRACT (arXiv:2011.12483), Eqs. 7 and 8. Every parameter is regularized,
biases with their layer, as Eq. 8 says. The convolution learns only in the first frame,
so that later frames store its output (`embed`) instead of features.

lambda is meaningful only for a given scale of features, hence the division by the
root of a box's mean square, as ATOM divides (arXiv:1811.07628, its released code). The
papers leave lambda open (C14), and ATOM's 0.1 is for one layer. The Gauss-Newton step
of two layers moves both, and so is wrong by their product: on two Gaussian clouds the
loss of six whole steps with 0.1 was 0.70, 0.49, 5.86, 0.22, 0.12, 0.31, 2.00; with our
default of 0.001 it was 0.500, 0.055, 0.025, 0.011, 0.008, 0.007, 0.008. A step that
would raise the loss is therefore halved, which ATOM's single layer does not need.

Parameters are a dict: {"conv": {"kernel" [k, k, C, channels], "bias"},
"fc1": {"kernel" [D, hidden], "bias"}, "fc2": {"kernel" [hidden, 1], "bias"}}, with
D = size * size * channels.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.online import conjugate_gradient

# Of a step that would raise the loss. With two layers even an exact step can.
NUM_HALVINGS = 8

# Slope of a hidden unit below 0. Of few units a whole step may leave none above 0, and
# with a slope of 0 none would ever learn again.
LEAK = 0.1

Params = dict[str, dict[str, jax.Array]]


def init(
    key: jax.Array,
    *,
    in_channels: int,
    size: int = 6,
    channels: int = 64,
    hidden: int = 128,
    kernel_size: int = 1,
) -> Params:
    """Draws the initial parameters of the classifier.

    Biases are 0 and kernels N(0, 1 / fan_in), but fc1's N(0, 1 / entries), so that its
    squares sum to about 1 and not to `hidden`: the loss begins with the data, not with
    the norm. No kernel may be 0: with fc2 = 0 there is no slope towards conv and fc1.

    Args:
      key: random key.
      in_channels: C of the features.
      size: height and width of the features.
      channels: outputs of the convolution.
      hidden: outputs of fc1.
      kernel_size: k, side of the convolution's kernel; odd. The paper omits it;
        1 is as in ATOM's projection, and learns nine times as fast as 3.

    Returns:
      The parameters, see the module's docstring.
    """
    keys = jax.random.split(key, 3)
    shapes = {
        "conv": (kernel_size, kernel_size, in_channels, channels),
        "fc1": (size * size * channels, hidden),
        "fc2": (hidden, 1),
    }
    stds = {
        "conv": (kernel_size * kernel_size * in_channels) ** -0.5,
        "fc1": (size * size * channels * hidden) ** -0.5,
        "fc2": hidden**-0.5,
    }
    return {
        name: {
            "kernel": stds[name] * jax.random.normal(key, shape),
            "bias": jnp.zeros(shape[-1]),
        }
        for (name, shape), key in zip(shapes.items(), keys, strict=True)
    }


def embed(params: Params, features: jax.Array) -> jax.Array:
    """Applies the convolution, which later frames do not change.

    Args:
      params: parameters of the classifier; only "conv" is used.
      features: features of boxes, `[N, size, size, C]`.

    Returns:
      `[N, D]`, none negative.
    """
    kernel, bias = params["conv"]["kernel"], params["conv"]["bias"]
    power = jnp.mean(jnp.square(features), axis=(1, 2, 3), keepdims=True)
    features = features * lax.rsqrt(jnp.maximum(power, 1e-12))
    # One product with all places of the kernel, then shifted sums: it is the
    # convolution, but its transpose with respect to the kernel is one product too, and
    # so is its vmap over videos with a kernel each.
    out = jnp.einsum("nhwc,yxco->nhwyxo", features, kernel)
    k = len(kernel)
    places = [(y, x) for y in range(k) for x in range(k)]
    out = sum(_shift(out[:, :, :, y, x], k // 2 - y, k // 2 - x) for y, x in places)
    out = jax.nn.relu(out + jnp.broadcast_to(bias, out.shape))
    return out.reshape(out.shape[0], -1)


def classify(params: Params, embedded: jax.Array) -> jax.Array:
    """Scores boxes: 1 for the target, 0 for background, not limited to [0, 1] (C1).

    Args:
      params: parameters of the classifier; "conv" is not used.
      embedded: output of `embed` for their features, `[N, D]`.

    Returns:
      Scores, `[N]`.
    """
    hidden = _leaky(_dense(params["fc1"], embedded))
    return _dense(params["fc2"], hidden)[:, 0]


def fit(
    params: Params,
    features: jax.Array,
    labels: jax.Array,
    weights: jax.Array,
    *,
    regularization: tuple[float, float] = (1e-4, 1e-3),
    num_linearizations: int = 6,
    num_iters: int = 10,
) -> tuple[Params, jax.Array]:
    """Learns all parameters from the first frame.

    Gauss-Newton with Fletcher-Reeves directions; the preconditioner divides every layer
    by its lambda, as ATOM's does (C11).

    Args:
      params: initial parameters, see `init`.
      features: features of boxes, `[N, size, size, C]`.
      labels: Y, `[N]`, 1 target and 0 background.
      weights: gamma, `[N]`, which sum to 1; 0 for a row that is no sample.
      regularization: lambda of conv and of both fully connected layers (C14).
      num_linearizations: Gauss-Newton steps.
      num_iters: conjugate gradient iterations of a step.

    Returns:
      The parameters, and `[num_linearizations + 1]` the loss at first and after
      every step.
    """
    conv, fc = regularization
    strength = {"conv": conv, "fc1": fc, "fc2": fc}

    def score(params):
        return classify(params, embed(params, features))

    return conjugate_gradient.gauss_newton(
        _residual(score, labels, weights, strength),
        params,
        num_linearizations=num_linearizations,
        num_iters=num_iters,
        direction="fletcher_reeves",
        preconditioner=lambda r: _scale(r, {k: 1 / v for k, v in strength.items()}),
        num_halvings=NUM_HALVINGS,
    )


def update(
    params: Params,
    embedded: jax.Array,
    labels: jax.Array,
    weights: jax.Array,
    *,
    regularization: float = 1e-3,
    num_iters: int = 5,
) -> Params:
    """Learns the two fully connected layers from a memory of samples.

    One Gauss-Newton step with Polak-Ribiere directions and no preconditioner, as ATOM
    updates its filter (C10, C11).

    Args:
      params: parameters of the classifier.
      embedded: output of `embed` for the samples' features, `[N, D]`.
      labels: Y, `[N]`, 1 target and 0 background.
      weights: gamma, `[N]`, which sum to 1; 0 for a row that is no sample.
      regularization: lambda of both layers (C14).
      num_iters: conjugate gradient iterations.

    Returns:
      The parameters; "conv" is unchanged.
    """
    layers = _turned({name: params[name] for name in ("fc1", "fc2")})
    strength = dict.fromkeys(layers, regularization)

    def score(layers):
        # A hidden unit a row, so that the samples, the one large array, are read along
        # their rows both ways: XLA's CPU products are faster so by a third.
        hidden = layers["fc1"]["kernel"] @ embedded.T
        hidden = _leaky(hidden + layers["fc1"]["bias"][:, None])
        return layers["fc2"]["kernel"][:, 0] @ hidden + layers["fc2"]["bias"][0]

    layers, _ = conjugate_gradient.gauss_newton(
        _residual(score, labels, weights, strength),
        layers,
        num_linearizations=1,
        num_iters=num_iters,
        direction="polak_ribiere",
        num_halvings=NUM_HALVINGS,
    )
    return {**params, **_turned(layers)}


def _shift(maps, down, right):
    """Shifts maps, `[N, H, W, C]`, by cells; zeros are shifted in."""
    moves = ((0, 0, 0), (down, -down, 0), (right, -right, 0), (0, 0, 0))
    return lax.pad(maps, jnp.zeros((), maps.dtype), moves)


def _leaky(hidden):
    """Applies the activation between the two fully connected layers."""
    return jax.nn.leaky_relu(hidden, LEAK)


def _turned(layers):
    """Transposes fc1's kernel."""
    fc1 = layers["fc1"]
    return {**layers, "fc1": {**fc1, "kernel": fc1["kernel"].T}}


def _residual(score, labels, weights, strength):
    """Returns the residual function of parameters, whose squares sum to Eq. 8."""

    def residual(params) -> dict[str, Any]:
        data = jnp.sqrt(weights) * (score(params) - labels)
        norm = _scale(params, {k: v**0.5 for k, v in strength.items()})
        return {"data": data, "norm": norm}

    return residual


def _scale(params, factors):
    """Multiplies every layer by its factor."""
    return {
        name: jax.tree.map(lambda a, f=factors[name]: f * a, layer)
        for name, layer in params.items()
    }


def _dense(layer, x):
    """Applies a fully connected layer to rows."""
    out = x @ layer["kernel"]
    return out + jnp.broadcast_to(layer["bias"], out.shape)
