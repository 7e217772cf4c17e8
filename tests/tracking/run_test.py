"""Tests for jaxtrack.tracking.run."""

import collections
from functools import partial

import jax
import numpy as np
import pytest
from jax import lax

from jaxtrack.errors import InputError
from jaxtrack.tracking import many, run, siamese, video
from tests.networks import build, draw_variables

# Drivers fuse differently; a float32 box of hundreds of pixels carries 1e-5 of them.
ATOL = 1e-3


@pytest.fixture(scope="module")
def drivers(tiny):
    return run.compile_tracker(tiny[0]), jax.device_put(tiny[1])


def boxes_of(outputs):
    return np.stack([output.box for output in outputs])


def test_recorded_and_scanned_equal_live(tiny, drivers, draw, pad_all):
    images, truth = draw(12)
    frames = pad_all(images)
    live = boxes_of(run.track_video(*drivers, frames, truth[0], ahead=0))
    recorded = list(run.track_video(*drivers, frames, truth[0], ahead=3))
    assert len(live) == 12
    np.testing.assert_array_equal(live[0], truth[0])
    np.testing.assert_array_equal(boxes_of(recorded), live)
    np.testing.assert_allclose(live[-1][:2], truth[-1][:2], atol=4)
    # The whole step is a pure function too: a scan's body.
    stack = jax.tree.map(lambda *leaves: np.stack(leaves), *frames[1:])
    state = tiny[0].init(tiny[1], frames[0], truth[0])
    scan = jax.jit(lambda v, s, fs: lax.scan(partial(tiny[0].step, v), s, fs))
    _, scanned = scan(tiny[1], state, stack)
    np.testing.assert_allclose(scanned.box, live[1:], atol=ATOL)


def test_canvas_size_does_not_matter(drivers, draw, pad_all):
    images, truth = draw(4)
    small = run.track_video(*drivers, pad_all(images), truth[0])
    large = run.track_video(*drivers, pad_all(images, (200, 160)), truth[0])
    np.testing.assert_allclose(boxes_of(small), boxes_of(large), atol=ATOL)


def test_five_frame_sizes_compile_one_network(tiny, draw, pad_all):
    tracker, variables = tiny
    traces = collections.Counter()

    def counted(name):
        function = getattr(tracker, name)

        def call(*arguments):
            traces[name] += 1
            return function(*arguments)

        return call

    names = ("aim_first", "aim", "cut", "fill", "start", "update")
    made = tracker._replace(**{name: counted(name) for name in names})
    drivers, counts = run.compile_tracker(made), []
    for canvas in [(128, 128), (128, 160), (160, 128), (192, 192), (160, 160)]:
        images, truth = draw(6)
        list(run.track_video(drivers, variables, pad_all(images, canvas), truth[0]))
        counts.append([traces[name] for name in names])
    # What sees the picture once a canvas, where it looks and the network once.
    assert counts == [[1, 1, n, n, 1, 1] for n in range(1, 6)]
    images, truth = draw(6, hw=(100, 110))  # Another size on a canvas of before.
    list(run.track_video(drivers, variables, pad_all(images), truth[0]))
    assert [traces[name] for name in names] == counts[-1]


def test_only_frames_and_boxes_cross(drivers, draw, pad_all):
    images, truth = draw(5)
    frames = pad_all(images)
    with jax.transfer_guard("disallow"):
        list(run.track_video(*drivers, frames, truth[0]))
        videos = [many.InMemory(frames[:n]) for n in (5, 2, 3)]
        found = many.track_videos(*drivers, videos, truth[[0, 0, 0]])
    assert len(found) == 3


def test_reads_ahead_of_the_device(drivers, draw, pad_all):
    images, truth = draw(17)
    read = []

    def frames():
        for k, frame in enumerate(pad_all(images)):
            read.append(k)
            yield frame

    for ahead in (0, 4):
        read.clear()
        outputs = run.track_video(*drivers, frames(), truth[0], ahead=ahead)
        counts = [len(read) for _ in outputs]
        assert counts == [1, *(min(k + ahead, 17) for k in range(2, 18))]


def test_refuses_bad_input(drivers, draw, pad_all):
    images, truth = draw(2)
    frames = pad_all(images)
    with pytest.raises(InputError, match="positive"):
        next(run.track_video(*drivers, frames, (10, 10, 0, 5)))
    with pytest.raises(InputError, match="no frame"):
        next(run.track_video(*drivers, [], truth[0]))
    with pytest.raises(InputError, match="devices"):
        run.compile_tracker(None, num_devices=1000)


@pytest.mark.slow
def test_drivers_agree_on_the_lite0_network(config, draw):
    model, variables = build("siamcar_lite0"), draw_variables("siamcar_lite0")
    tracker = siamese.make(config, model)
    images, truth = draw(6, hw=(200, 250), start=(60.0, 90.0))
    frames = [video.pad(image, (256, 256)) for image in images]
    one = run.compile_tracker(tracker)
    live = boxes_of(run.track_video(one, variables, frames, truth[0]))
    for num_devices in (1, 2):
        compiled = run.compile_tracker(tracker, num_devices=num_devices)
        videos = [many.InMemory(frames) for _ in range(2)]
        results = many.track_videos(compiled, variables, videos, truth[[0, 0]])
        for result in results:
            np.testing.assert_allclose(result.box, live, atol=0.02)
