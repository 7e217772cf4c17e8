"""Runs what a plan lists and records it."""

import contextlib
import importlib.metadata
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack import __version__, configs, devices
from jaxtrack.portability import compute, environment, plan
from jaxtrack.portability.recording import Key, Recording, sketch


class Machine(NamedTuple):
    """What is computed on.

    Attributes:
      about: for `Recording.about`.
      idle: condition -> why it would show nothing here.
    """

    about: dict[str, Any]
    idle: Mapping[str, str]


def examine() -> Machine:
    """Looks at the devices, and how they round products.

    Raises:
      InputError: there is none.
    """
    devices.check()
    error = environment.product_error(None)
    products, count = environment.precision_of(error), compute.num_devices()
    device = jax.local_devices()[0]
    about = {
        "jaxtrack": __version__,
        "jax": importlib.metadata.version("jax"),
        "device": f"{device.device_kind} ({device.platform})",
        "num_devices": jax.local_device_count(),
        "products": products,
    }
    idle = {}
    if products == "float32":
        idle["default"] = "products are float32 here by default"
    if count == 1:
        idle["devices"] = "there is one device"
    return Machine(about, idle)


def backbones_of(names: Sequence[str]) -> dict[str, str]:
    """Returns tracker -> name of its backbone.

    Args:
      names: of configs, or `plan.SHIPPED`.

    Raises:
      InputError: there is no such config.
    """
    return {
        name: "" if name == plan.SHIPPED else configs.load(name).model.backbone
        for name in names
    }


def record(
    items: Sequence[plan.Item],
    machine: Machine,
    *,
    full: bool = False,
    say: Callable[[str], None] = print,
    keep: Callable[[Recording], None] = lambda recording: None,
) -> Recording:
    """Computes items, one after the other.

    Args:
      items: from `plan.items`.
      machine: from `examine`.
      full: keep the trackers' own backbones.
      say: told what was computed, and how long the rest will take.
      keep: given what there is after each item.

    Returns:
      The recording.
    """
    recording = Recording({**machine.about, "full": full, "inputs": {}}, {})
    start, done = time.monotonic(), 0.0
    total = sum(plan.PARTS[item.part].cost for item in items)
    for number, item in enumerate(items, start=1):
        before = time.monotonic()
        subject = compute.prepare(item, full=full)
        place = f"{item.tracker} {item.part}"
        recording.about["inputs"].setdefault(place, subject.checksum())
        with _precision(item.condition):
            for kind, name, value in compute.PARTS[item.part](subject):
                key = Key(item.tracker, item.part, item.condition, kind, name)
                recording.values[key] = sketch(np.asarray(value, np.float32))
        keep(recording)
        done += plan.PARTS[item.part].cost
        now = time.monotonic()
        left = (now - start) * (total - done) / done
        say(
            f"[{number}/{len(items)}] {item.tracker}: {item.part}, {item.condition}: "
            f"{now - before:.0f} s; {_duration(left)} left"
        )
    return recording


def _precision(condition):
    """Returns a context in which products round as a condition says."""
    if condition in ("default", "bfloat16"):
        return contextlib.nullcontext()
    return jax.default_matmul_precision("highest")


def _duration(seconds):
    """Formats a time."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
