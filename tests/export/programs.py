"""Runs the programs of docs/deployment.md on a composed video."""

import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np

import jaxtrack
from jaxtrack import config as config_lib
from jaxtrack import configs
from jaxtrack.data.composed import ComposedSource
from jaxtrack.training import inference
from jaxtrack.weights.bundle import Bundle

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "deployment"


def toy_config():
    """Returns settings that track with a network of one's own."""
    config = config_lib.get_config()
    config.tracking.selection = "clean"
    config.model.preprocessing.update({"order": "RGB", "scale": (64.0,) * 3})
    return config


def stand_in(monkeypatch, name):
    """Makes every checkpoint one of a config, without weights."""
    loaded = Bundle(configs.load(name), {}, 0)
    monkeypatch.setattr(inference, "load_for_inference", lambda source: loaded)
    monkeypatch.setattr("jaxtrack.trackers.folded", lambda config, variables: variables)


def track(folder, program, frames=12):
    """Tracks a video by the package and by a program, which reads `exported`.

    Returns:
      Boxes x, y, w, h and score of both, `[frames, 5]`.
    """
    scenes = ComposedSource(num_tracks=1, length=frames, size=(240, 320), seed=4)
    (folder / "img").mkdir()
    for time in range(frames):
        image = scenes.frame(0, time)[0][..., ::-1]
        cv2.imwrite(str(folder / "img" / f"{time:04d}.jpg"), image)
    x0, y0, x1, y1 = (float(number) for number in scenes.track_boxes(0)[0])
    xywh = [x0, y0, x1 - x0, y1 - y0]
    images = [cv2.imread(str(path)) for path in sorted((folder / "img").glob("*"))]
    with jaxtrack.load("lite") as session:
        boxes = [session.init(images[0][..., ::-1], xywh)]
        boxes += [session.update(image[..., ::-1]) for image in images[1:]]
    expected = np.array([[*box.xywh, box.score] for box in boxes])
    typed = ",".join(repr(number) for number in xywh)
    command = [sys.executable, DOCS / program, folder / "exported", folder / "img"]
    # Without the checkout, which the program must not need.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command), typed],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return expected, np.array(
        [[float(number) for number in line.split(",")] for line in done.stdout.split()]
    )
