"""The cost of labeling in a training step: dynamic, fixed, and no labels.

Run: python -m benchmarks.assignment
The same network is trained with precomputed labels, with the baseline's and with
dynamic ones. Rounds alternate, medians are shown; "CPU" is CPU time, which other
programs affect less. Steps vary more than labeling takes, so it is also timed alone:
its fraction of a step without it is more reliable.
"""

import os
from functools import partial

import jax
import numpy as np
from absl import app, flags

from benchmarks import rounds, train_step
from jaxtrack import trackers
from jaxtrack.assign import make_assigner
from jaxtrack.configs import (
    dla_siamcar_lite0,
    dla_siamcar_r50,
    dla_siamrpnpp_lite0,
    dla_siamrpnpp_r50,
    siamcar_lite0,
    siamcar_r50,
    siamrpnpp_lite0,
    siamrpnpp_r50,
)

_PAIRS = flags.DEFINE_integer("pairs", 32, "Pairs per step of the Lite0 networks.")
_PAIRS_R50 = flags.DEFINE_integer("pairs_r50", 2, "The same for ResNet-50; or 0.")
_REPEATS = flags.DEFINE_integer("repeats", 9, "Rounds; the median is shown.")
_ALONE = 20  # Labelings per round.
_MARK = 0.02  # Largest fraction of a step for dynamic labels.


def main(argv: list[str]) -> None:
    """Times every pair of settings, prints ratios and fractions."""
    del argv
    print(f"{jax.devices()[0].device_kind}, {os.cpu_count()} cores", flush=True)
    cases = (
        (siamcar_lite0, dla_siamcar_lite0, _PAIRS.value),
        (siamrpnpp_lite0, dla_siamrpnpp_lite0, _PAIRS.value),
        (siamcar_r50, dla_siamcar_r50, _PAIRS_R50.value),
        (siamrpnpp_r50, dla_siamrpnpp_r50, _PAIRS_R50.value),
    )
    for fixed, dynamic, pairs in cases:
        if pairs:
            configs = {"fixed": fixed.get_config(), "dynamic": dynamic.get_config()}
            name = trackers.describe(configs["fixed"])
            print(f"\n{name}: {pairs} pairs, frozen backbone", flush=True)
            _compare(configs, pairs)


def _compare(configs, pairs):
    """Times steps that differ only in the labels, and the labeling alone."""
    variables = train_step.variables_of(configs["fixed"])
    batch = train_step.batch_of(configs["fixed"], pairs)
    alone = {f"{kind}, alone": _alone(c, batch) for kind, c in configs.items()}
    first = np.asarray(alone["dynamic, alone"]()[0])
    steps = {"labels given": (configs["fixed"], lambda *_: first)}
    steps |= {f"{kind} labels": (c, None) for kind, c in configs.items()}
    runs = {}
    for name, (config, assign) in steps.items():
        made = train_step.step_of(config, variables, batch, False, assign=assign)
        runs[name] = made.run
    for run in (*runs.values(), *alone.values()):
        run()  # Compiles; a second step may have other array layouts.
        run()
    counted = {name: (run, 1) for name, run in runs.items()}
    counted |= {n: (partial(_many, run), _ALONE) for n, run in alone.items()}
    walls, cores = rounds.timed(counted, _REPEATS.value)
    for name in counted:
        wall, core = 1000 * walls[name], 1000 * cores[name]
        print(f"  {name:16}{wall:9.2f} ms{core:9.2f} ms CPU")
    for kind, config in configs.items():
        ratios, shares = (
            [times[f"{kind}{what}"] / times["labels given"] for times in (walls, cores)]
            for what in (" labels", ", alone")
        )
        print(
            f"  {kind} ({config.labels.assigner}): {ratios[0]:.3f} of the step with "
            f"labels given, CPU {ratios[1]:.3f}; alone {shares[0]:.2%} of it, "
            f"CPU {shares[1]:.2%}"
        )
    verdict = "within" if shares[0] <= _MARK else "ABOVE"
    print(f"  dynamic labels alone: {verdict} the goal of {_MARK:.0%} of a step")


def _alone(config, batch):
    """Returns the labeling of a batch, compiled."""
    model = trackers.network_of(config, training=True)
    assign = jax.jit(
        jax.vmap(make_assigner(config, model.geometry, anchors=model.anchors))
    )
    keys = jax.random.split(jax.random.key(0), len(batch["xyxy"]))
    targets = jax.device_put((keys, batch["xyxy"], batch["is_positive"]))
    return lambda: jax.block_until_ready(assign(*targets))


def _many(run):
    """Labels several times, since once is too short to time."""
    for _ in range(_ALONE):
        run()


if __name__ == "__main__":
    app.run(main)
