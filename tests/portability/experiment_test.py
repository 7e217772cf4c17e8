"""Records with real trackers: faults are found, other compilers' roundings are not."""

import dataclasses
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from jaxtrack import trackers
from jaxtrack.portability import compare, compute, experiment, plan, recording

NAME = "siamla_lite0"
MACHINE = experiment.Machine({"products": "float32"}, {})


def compared(*parts):
    """Records parts of a tracker, compares them with what ships."""
    items = [plan.Item(NAME, part, "highest") for part in parts]
    found = experiment.record(items, MACHINE)
    return compare.compare(found, recording.read(recording.REFERENCE))


def test_the_reference_is_small_and_float32():
    assert recording.REFERENCE.stat().st_size < 300_000
    reference = recording.read(recording.REFERENCE)
    assert {key.condition for key in reference.values} == {"highest"}
    assert {key.tracker for key in reference.values} >= set(plan.REFERENCE)
    assert reference.about["products"] == "float32"
    assert reference.about["device"] == "cpu (cpu)"


@pytest.mark.slow
def test_the_reference_is_of_these_weights_and_inputs():
    for place, checksum in recording.read(recording.REFERENCE).about["inputs"].items():
        tracker, part = place.split()
        found = compute.prepare(plan.Item(tracker, part, "highest")).checksum()
        assert found == checksum, (
            f"{place} changed: jaxtrack portability run --conditions=highest "
            f"--trackers={','.join(plan.REFERENCE)} --out={recording.REFERENCE}"
        )


@pytest.mark.slow
def test_one_changed_weight_is_found_where_it_is(monkeypatch):
    def changed(subject):
        variables = jax.tree.map(np.array, subject.variables)
        variables["params"]["neck"]["fine"]["kernel"][0, 0, 3, 7] += 0.1
        return compute.PARTS["backbone"](subject._replace(variables=variables))

    monkeypatch.setattr(compute, "PARTS", {**compute.PARTS, "layers": changed})
    over = compare.first_over(compared("layers").rows)
    assert [row.key.name for row in over] == ["neck/fine"]


@pytest.mark.slow
def test_a_scaled_loss_is_found(monkeypatch):
    family = trackers.family_of(compute.prepare(plan.Item(NAME, "losses", "")).config)

    def scaled(config, network):
        loss = family.loss(config, network)

        def call(outputs, batch):
            value, terms = loss(outputs, batch)
            return 1.01 * value, terms

        return call

    other = dataclasses.replace(family, loss=scaled)
    monkeypatch.setattr(compute.trackers, "family_of", lambda config: other)
    rows = {row.key[3:]: row for row in compared("losses").rows if row.is_over}
    assert rows.pop(("loss", "loss")).error == pytest.approx(0.01, rel=1e-3)
    # Every slope is one of the loss, no term is.
    assert {kind for kind, _ in rows} == {"slope"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    ["--xla_backend_optimization_level=0", "--xla_cpu_enable_fast_math=true"],
)
def test_another_level_of_the_compiler_stays_within_the_tolerances(flags, tmp_path):
    path = tmp_path / "a.npz"
    options = [f"--trackers={NAME}", "--parts=losses,layers"]
    options += ["--conditions=highest,eager", f"--out={path}"]
    environment = os.environ | {"XLA_FLAGS": flags}
    for words in (("run", *options), ("compare", str(path))):
        command = [sys.executable, "-m", "jaxtrack", "portability", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
