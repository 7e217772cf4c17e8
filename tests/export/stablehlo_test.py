"""An exported tracker tracks as the tracker does."""

import jax
import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.data.composed import ComposedSource
from jaxtrack.export import stablehlo
from jaxtrack.tracking.state import Frame
from tests.export import programs
from tests.refusals import refused
from tests.trackers.toy_test import TOY, Toy


def test_init_and_step_are_the_trackers(tmp_path):
    network = Toy()
    geometry = network.geometry
    crops = (np.zeros((1, n, n, 3), np.float32) for n in geometry[:2])
    variables = jax.jit(network.init)(jax.random.key(0), *crops)
    config = programs.toy_config()
    tracker = TOY.tracker(config, network)
    stablehlo.write(tmp_path, tracker, variables)
    init, step = (
        jax.export.deserialize(bytearray((tmp_path / name).read_bytes()))
        for name in stablehlo.FILES
    )
    assert set(init.platforms) == set(step.platforms) == {"cpu", "cuda", "tpu"}

    assert [str(side) for side in step.in_avals[-1].shape] == ["h", "w", "3"]

    hw = np.array([96, 128], np.int32)
    scenes = ComposedSource(num_tracks=1, length=2, size=tuple(hw), seed=0)
    images = [scenes.frame(0, time)[0] for time in range(2)]
    x0, y0, x1, y1 = scenes.track_boxes(0)[0]
    xywh = np.array([x0, y0, x1 - x0, y1 - y0], np.float32)
    state, found, score = step.call(init.call(images[0], xywh), images[1])
    center = np.concatenate([xywh[:2] + xywh[2:] / 2, xywh[2:]])
    own = jax.jit(tracker.init)(variables, Frame(images[0], hw), center)
    own, output = jax.jit(tracker.step)(variables, own, Frame(images[1], hw))
    # One program and two compilations of it: float32's rounding.
    np.testing.assert_allclose(found[:2] + found[2:] / 2, output.box[:2], atol=1e-3)
    np.testing.assert_allclose(found[2:], output.box[2:], atol=1e-3)
    np.testing.assert_allclose(score, output.score, atol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3),
        state,
        tuple(jax.tree.leaves(own)),
    )


def test_what_cannot_be_exported_is_told(tmp_path, capsys, monkeypatch):
    argv = ["export", f"--out={tmp_path}"]
    assert "exists already" in refused(capsys, *argv)
    programs.stand_in(monkeypatch, "cract_lite0")
    monkeypatch.setattr("jaxtrack.cli.export.require", lambda *packages: None)
    out = tmp_path / "out"
    message = refused(capsys, "export", "--format=onnx", f"--out={out}")
    assert "use --format=stablehlo" in message
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_documented_program_tracks_as_the_package_does(tmp_path):
    cli.main(["export", "--checkpoint=lite", f"--out={tmp_path / 'exported'}"])
    expected, found = programs.track(tmp_path, "track_stablehlo.py")
    np.testing.assert_allclose(found[:, :4], expected[:, :4], atol=2e-2)
    np.testing.assert_allclose(found[:, 4], expected[:, 4], atol=2e-3)
