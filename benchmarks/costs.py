"""What trackers cost before anything is run: operations, bytes, sums over devices.

Run: python -m benchmarks.costs [--configs=siamcar_r50,siamcar_lite0]
XLA counts the operations of the program as it is lowered, before it is optimized. The
bytes are what convolutions and matrix products read and write, as if all else were
fused into them. Nothing is compiled. The sum of gradients is that of a ring over N
devices: each one sends and receives 2 (N - 1) / N of the gradients.
"""

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags
from jax.extend import core

from benchmarks import train_step
from jaxtrack import configs, trackers
from jaxtrack.tracking import Frame
from jaxtrack.training import schedule, state, step

_CONFIGS = flags.DEFINE_list(
    "configs",
    ["siamcar_r50", "siamla_r50", "siamrpnpp_r50", "siamcar_lite0"],
    "Configs by name.",
)
_SEARCH = flags.DEFINE_list("search", [], "Also track with search crops of these px.")
_PAIRS = 16  # A step; kernels are read once for all of them.
_CANVAS = (480, 640)
# Bytes a second in one direction and device: NVLink 4 (H100, H200), NDR InfiniBand with
# a link for each GPU, and the links between the chips of a TPU v5e and v5p.
_LINKS = {"NVLink 4": 450e9, "InfiniBand": 50e9, "ICI v5e": 200e9, "ICI v5p": 600e9}
_DEVICES = (8, 64, 512)


def main(argv: list[str]) -> None:
    """Prints four tables; the dearest to compute last."""
    del argv
    loaded = {
        name: trackers.with_preprocessing(configs.load(name)) for name in _CONFIGS.value
    }
    print("                parameters, M  gradients, MB")
    sizes = {}
    for name, config in loaded.items():
        count = num_parameters(config)
        sizes[name] = 4 * count
        print(f"{name:20}{count / 1e6:9.2f}{4 * count / 1e6:15.1f}", flush=True)
    print("\nsum of gradients, ms" + "".join(f"{link:>12}" for link in _LINKS))
    for name, size in sizes.items():
        for count in _DEVICES:
            sent = 2 * (count - 1) / count * size
            row = "".join(f"{1000 * sent / rate:12.2f}" for rate in _LINKS.values())
            print(f"{name:16}{count:4}{row}", flush=True)
    print("\ntracking    search, px  GFLOP/frame  FLOP/byte")
    for name, config in loaded.items():
        own = trackers.network_of(config).geometry.search_size
        for size in (own, *map(int, _SEARCH.value)):
            flops, moved = tracking(config, size)
            told = f"{flops / 1e9:12.2f}{flops / moved:11.0f}"
            print(f"{name:16}{size:6}{told}", flush=True)
    print("\ntraining        GFLOP/pair  FLOP/byte")
    for name, config in loaded.items():
        flops, moved = training(config, True)
        print(f"{name:16}{flops / 1e9:10.1f}{flops / moved:11.0f}", flush=True)


def training(config, train_backbone) -> tuple[float, float]:
    """Operations and bytes of a training step, a pair."""
    one, tx = train_step.device_step(config, train_backbone)
    mapped = step.pmap_step(one, devices=jax.local_devices()[:1])
    batch = train_step.batch_of(config, _PAIRS)
    rates = schedule.Schedule(config).rates(0)
    shards = {name: jnp.asarray(array)[None] for name, array in batch.items()}
    keeps = config.optimizer.ema_decay > 0
    start = jax.eval_shape(
        lambda variables: state.create(variables, tx, keep_ema=keeps), drawn(config)
    )
    return tuple(x / _PAIRS for x in counted(mapped, start, shards, rates))


def tracking(config, search_size) -> tuple[float, float]:
    """Operations and bytes of a frame, crops and selection included."""
    config = config.copy_and_resolve_references()
    config.tracking.search_size = search_size
    family, network = trackers.family_of(config), trackers.network_of(config)
    tracker = family.tracker(config, network)
    variables = drawn(config)
    frame = Frame(
        jax.ShapeDtypeStruct((*_CANVAS, 3), np.uint8),
        jax.ShapeDtypeStruct((2,), np.int32),
    )
    box = jax.ShapeDtypeStruct((4,), np.float32)
    start = jax.eval_shape(tracker.init, variables, frame, box)
    return counted(jax.jit(tracker.step), variables, start, frame)


def drawn(config):
    """Shapes of a network's variables."""
    network = trackers.network_of(config)
    sizes = (network.geometry.template_size, network.geometry.search_size)
    images = [jax.ShapeDtypeStruct((1, s, s, 3), np.float32) for s in sizes]
    return jax.eval_shape(network.init, jax.random.key(0), *images)


def num_parameters(config) -> int:
    """Parameters of a network."""
    leaves = jax.tree.leaves(drawn(config)["params"])
    return sum(int(np.prod(leaf.shape)) for leaf in leaves)


def counted(function, *args) -> tuple[float, float]:
    """Operations of a program, and the bytes that its products read and write."""
    analysis = function.lower(*args).cost_analysis()
    analysis = analysis[0] if isinstance(analysis, list) else analysis
    return float(analysis["flops"]), float(_moved(jax.make_jaxpr(function)(*args)))


def _moved(jaxpr: core.ClosedJaxpr | core.Jaxpr) -> int:
    """Bytes that convolutions and matrix products read and write."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("conv_general_dilated", "dot_general"):
            values = [v.aval for v in (*equation.invars, *equation.outvars)]
            total += sum(v.size * v.dtype.itemsize for v in values)
        for inner in core.jaxprs_in_params(equation.params):
            total += equation.params.get("length", 1) * _moved(inner)
    return total


if __name__ == "__main__":
    app.run(main)
