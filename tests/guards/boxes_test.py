"""Guards the boxes of every family of trackers on two short composed videos.

Weights are drawn by numpy, so boxes follow nothing; settings of tracking, refinement
and online learning are not the defaults, and each way of selection occurs. Networks
have a backbone that compiles fast; their own is looked at alone. The videos are kept as
JPEG files, so that this holds however scenes are composed.
"""

import cv2
import jax
import numpy as np
import pytest

from tests.guards import adapter, store
from tests.guards.light import Light

NAME = "boxes.json"
VIDEOS = store.FOLDER / "videos.npz"
CASES = {
    "siamcar": {
        **{"selection": "released", "penalty": 0.06, "window": 0.7, "size_rate": 0.4},
        **{"context": 0.45, "correlation": "both"},
    },
    "siamla": {
        **{"selection": "clean", "num_boxes": 4, "rate_by_quality": False},
        **{"penalty": 0.08, "window": 0.35, "size_rate": 0.6, "quality_power": 0.7},
    },
    "siamrpnpp": {
        **{"selection": "pysot", "penalty": 0.07, "window": 0.7, "size_rate": 0.45},
        **{"correlation": "depthwise", "context": 0.6},
    },
    "siamfcpp": {
        **{"selection": "clean", "num_boxes": 2, "rate_by_quality": True},
        **{"quality_power": 1.6, "window": 0.25, "size_rate": 0.7},
    },
    "cract": {
        **{"selection": "clean", "penalty": 0.05, "window": 0.6, "size_rate": 0.5},
        **{"refine__proposals": 6, "refine__nms_iou": 0.4, "refine__weight": 0.7},
        **{"refine__identifier": 0.3, "refine__window": 0.5},
        # Few iterations: many of them enlarge what float32 rounds off.
        **{"online__channels": 16, "online__hidden": 32, "online__first_steps": 2},
        **{"online__first_iterations": 2, "online__first_positives": 40},
        **{"online__first_negatives": 60, "online__every": 2, "online__positives": 10},
        **{"online__negatives": 20, "online__candidates": 30, "online__iterations": 2},
        **{"online__groups": 3, "online__short_frames": 2, "online__success": 0.4},
        **{"online__rate": 0.4, "online__hard_rate": 0.3, "online__distractor": 0.93},
        **{"online__regularization": (0.1, 0.3), "online__kernel_size": 3},
    },
}
SEEDS = {"siamcar": 0, "siamla": 0, "siamrpnpp": 1, "siamfcpp": 0, "cract": 3}


def make_videos():
    """Composes two videos and keeps them as JPEG files."""
    kept = {}
    for number, (images, xyxy) in enumerate(adapter.composed(2, 9, (96, 128), seed=5)):
        for time, image in enumerate(images):
            bgr = np.ascontiguousarray(image[..., ::-1])
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
            kept[f"{number}/{time}"] = data
        kept[f"{number}/xyxy"] = xyxy
    np.savez_compressed(VIDEOS, **kept)


def videos():
    """Reads the videos: frames, and the first box cxcywh."""
    with np.load(VIDEOS) as file:
        for number in range(2):
            xyxy = file[f"{number}/xyxy"]
            images = [
                cv2.imdecode(file[f"{number}/{time}"], cv2.IMREAD_COLOR)[..., ::-1]
                for time in range(len(xyxy))
            ]
            low, high = xyxy[0, :2], xyxy[0, 2:]
            box = np.concatenate([(low + high) / 2, high - low]).astype(np.float32)
            yield [adapter.frame(np.ascontiguousarray(i)) for i in images], box


def compute(family):
    """Returns boxes and scores of a family, video by video."""
    config = adapter.settings(f"{family}_lite0", **CASES[family])
    model = adapter.with_backbone(adapter.network(config), Light())
    variables = adapter.drawn_variables(model, seed=SEEDS[family])
    init, step = map(jax.jit, adapter.tracker(config, model))
    found = {}
    for number, (frames, box) in enumerate(videos()):
        state = init(variables, frames[0], box)
        boxes, scores = [], []
        for frame in frames[1:]:
            state, box, score = step(variables, state, frame)
            boxes.append(box)
            scores.append(score)
        found[f"boxes {number}"] = store.rounded(boxes)
        found[f"scores {number}"] = store.rounded(scores)
    return found


def features():
    """Returns products of a template's features, by the network's own backbone."""
    model = adapter.build("siamcar_lite0")
    size = model.geometry.template_size
    (frame, *_), _ = next(videos())
    image = cv2.resize(frame.image, (size, size))[None].astype(np.float32) / 128 - 1
    encode = jax.jit(adapter.encode_template(model))
    found = np.ravel(np.asarray(encode(adapter.drawn_variables(model), image), float))
    direction = np.random.default_rng(1).standard_normal(found.size)
    return store.rounded([np.linalg.norm(found), found.sum(), found @ direction])


def make():
    found = {family: compute(family) for family in CASES}
    store.write(NAME, found | {"features": features()})


def test_features_are_what_they_were():
    expected = store.read(NAME)["features"]
    # Sums over thirty layers: 1e-4 of the norm.
    store.assert_close(features(), expected, atol=1e-4 * expected[0])


@pytest.mark.parametrize("family", CASES)
def test_boxes_are_where_they_were(family):
    found, expected = compute(family), store.read(NAME)[family]
    store.assert_close(found, expected, atol=1e-3, where=family)
