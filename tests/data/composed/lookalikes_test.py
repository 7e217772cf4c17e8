"""Tests for jaxtrack.data.composed.lookalikes."""

import pathlib

import cv2
import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.data.composed import (
    compose,
    cutouts,
    lookalikes,
    motion,
    shapes,
    sprites,
)
from jaxtrack.datasets import pictures
from jaxtrack.datasets.folders import read_sequence
from tests.refusals import refused

LENGTH = 80
HW = (180, 240)
NAMES = [pathlib.Path(f"{k}.jpg") for k in range(4)]


def make(seed, difference=0.5, length=LENGTH, paths=NAMES):
    rng, settings = np.random.default_rng(seed), lookalikes.SETTINGS
    made = compose.stage(rng, paths, [], hw=HW, length=length, settings=settings)
    return lookalikes.compose_lookalikes(made, difference=difference)


def parts(scene):
    """The target, look-alikes behind it and look-alikes in front of it."""
    target = scene.target
    return scene.cast[target], scene.cast[:target], scene.cast[target + 1 :]


def distances(target, other):
    """From middle to middle in sides of the target's box, `[T]`."""
    one, two = target.boxes(), other.boxes()
    middles = [(box[:, :2] + box[:, 2:]) / 2 for box in (one, two)]
    return np.linalg.norm((middles[1] - middles[0]) / (one[:, 2:] - one[:, :2]), axis=1)


def test_two_or_three_lookalikes_cross_each_at_its_own_time():
    counts, is_front, misses = [], [], []
    for seed in range(30):
        target, behind, front = parts(make(seed))
        counts.append(len(behind) + len(front))
        is_front += [False] * len(behind) + [True] * len(front)
        meetings = []
        for other in (*behind, *front):
            away = distances(target, other)
            # Half a side, and what the ripples move the boxes' middles by.
            assert away.min() < 0.55 and away.argmin() >= 0.24 * LENGTH
            meetings.append(away.argmin())
            misses.append(away.min())
            # Near the target at all times, and clear of it for most of the time.
            assert away.max() < 2.6
            assert np.mean(away > 1.4) > 0.55
            # It comes from one side and goes to the other.
            side = other.center - target.center
            assert (side[0] * side[-1]).sum() < 0
        assert len(set(meetings)) == len(meetings)
    assert set(counts) == {2, 3}
    assert 0.3 < np.mean(is_front) < 0.7
    # Those in front miss by 0.35 at least, so that they do not hide the target.
    misses, is_front = np.array(misses), np.array(is_front)
    assert misses[is_front].min() > 0.3 > 0.2 > misses[~is_front].min()


def test_paths_are_smooth():
    for seed in range(20):
        scene = make(seed)
        size = np.sqrt((scene.boxes()[:, 2:] - scene.boxes()[:, :2]).prod(1)).min()
        for sprite in scene.cast:
            step = np.diff(sprite.center, axis=0)
            assert np.abs(step).max() < 0.8 * size
            assert np.abs(np.diff(step, axis=0)).max() < 0.2 * size


def test_none_touches_the_target_in_the_first_frame():
    for seed in range(0, 150, 3):
        target, behind, front = parts(make(seed, difference=1.0, length=20 + seed))
        one = target.boxes()[0]
        for other in (*behind, *front):
            two = other.boxes()[0]
            overlap = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2])
            assert overlap.min() <= 0, seed


def test_the_target_stays_in_the_frame_and_is_never_hidden():
    least = []
    for seed in range(20):
        scene = make(seed, difference=1.0)
        target, _, front = parts(scene)
        raw = target.boxes()
        # The truth is the target's own box, whoever is in front of it.
        np.testing.assert_allclose(scene.boxes(), raw, atol=1e-4)
        for t in range(0, LENGTH, 2):
            region = (0, 0, HW[1], HW[0])
            own = sprites.fill_curves(target.curves(t), region) > 0
            seen = own.copy()
            for other in front:
                seen &= sprites.fill_curves(other.curves(t), region) == 0
            least.append(seen.sum() / own.sum())
    assert min(least) > 0.15
    assert min(least) < 0.8  # Some do cover it in part.


def test_lookalikes_look_like_the_target_and_others_do_not(photo_folder):
    paths = sorted(photo_folder.iterdir())

    def histogram(sprite):
        canvas = np.zeros((*HW, 3), np.uint8)
        sprite.draw(canvas, 0)
        mask = np.uint8(255 * (canvas.max(-1) > 0))
        counts = cv2.calcHist([canvas], [0, 1, 2], mask, [6] * 3, [0, 256] * 3)
        return counts / counts.sum()

    def composed(seed, difference):
        scene = make(seed, difference, 20, paths)
        target, behind, front = parts(scene)
        return histogram(target), [histogram(s) for s in (*behind, *front)]

    def mean_distance(pairs):
        return np.mean([np.abs(a - b).sum() / 2 for a, b in pairs])

    drawn = {
        difference: [composed(seed, difference) for seed in range(12)]
        for difference in (0, 0.5, 1)
    }
    near = {
        difference: mean_distance([(own, h) for own, others in scenes for h in others])
        for difference, scenes in drawn.items()
    }
    targets = [own for own, _ in drawn[0.5]]
    other = mean_distance([(a, b) for k, a in enumerate(targets) for b in targets[:k]])
    assert near[0] < near[0.5] < near[1] < other
    assert near[0.5] < 0.7 * other


def test_alike_changes_looks_and_no_path():
    for seed in range(5):
        scenes = [make(seed, difference) for difference in (0.0, 0.4, 1.0)]
        np.testing.assert_array_equal(scenes[0].boxes(), scenes[2].boxes())
        np.testing.assert_array_equal(scenes[0].light, scenes[2].light)
        for casts in zip(*(scene.cast for scene in scenes), strict=True):
            for sprite in casts[1:]:
                np.testing.assert_array_equal(sprite.center, casts[0].center)


def test_cutouts_get_lookalikes_too(photo_folder, cutout_folder):
    source = lookalikes.make_source(
        photo_folder, difference=0.0, cutouts=cutout_folder, num_tracks=8, length=20
    )
    casts = [source._scene(i)[0].cast for i in range(8)]
    skins = [[sprite.skin for sprite in cast] for cast in casts]
    footage = [s for s in skins if isinstance(s[0], sprites.Footage)]
    assert footage and all(skin is s[0] or skin == s[0] for s in footage for skin in s)
    assert source.frame(0, 3)[0].shape == (360, 480, 3)


def run(*argv):
    cli.main(["compose", *(f"--{flag}" for flag in argv)])


def test_the_command_writes_sequences(photo_folder, tmp_path, capsys):
    out = tmp_path / "out"
    flags = f"out={out}", "length=20", "seed=3", f"photos={photo_folder}"
    run(*flags, "num=1")
    assert capsys.readouterr().out == f"{out}: 1 sequences\n"
    first = out / "lookalikes_0000"
    sequence = read_sequence(first)
    assert len(sequence.frames) == 20
    source = lookalikes.make_source(photo_folder, num_tracks=1, length=20, seed=3)
    np.testing.assert_allclose(sequence.xyxy, source.track_boxes(0), atol=2e-4)
    drawn, written = source.frame(0, 9)[0], pictures.read_image(sequence.frames[9])
    assert np.abs(written.astype(int) - drawn).mean() < 5  # JPEG's loss.
    (first / "note.txt").write_text("mine")
    run(*flags, "num=2")  # Goes on where it was.
    assert (first / "note.txt").exists() and (out / "lookalikes_0001").is_dir()


def test_faults_are_one_line(tmp_path, photo_folder, capsys):
    (tmp_path / "FILE").write_text("")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "lookalikes.json").write_text('{"seed": 0}')
    for flag, message in (
        ("num=0", "--num=0: give a whole number of at least 1"),
        ("length=19", "need 20 frames or more: length is 19"),
        ("difference=1.5", "difference is 1.5: it must be in [0, 1]"),
        ("difference=-0.1", "difference is -0.1"),
        (f"out={tmp_path / 'out'}", "has videos of other settings"),
        ("photos=/absent", "no folder of photographs"),
        (f"out={tmp_path / 'FILE'}", "FILE is a file"),
    ):
        given = f"--out={tmp_path / 'new'}", f"--photos={photo_folder}", "--num=1"
        given += "--length=20", f"--{flag}"
        assert message in refused(capsys, "compose", *given)
        assert not (tmp_path / "new").exists()


FRAMES = 12


def make_target(skin=None, tint=None):
    rng = np.random.default_rng(0)
    curve, photo = shapes.blob(rng), pathlib.Path("a.jpg")
    paint = sprites.Paint(curve, photo, np.array([50.0, -60.0]), np.array([200.0, 150]))
    times = np.arange(FRAMES)
    return sprites.Sprite(
        skin or paint,
        np.stack([times + 40.0, 2.0 * times + 30], -1),
        motion.turned(0.02 * times, 20.0 + times, 30.0),
        motion.random_ripple(rng, 0.5),
        marking=paint._replace(curve=0.4 * curve),
        tint=tint,
        relief=0.3,
        shutter=0.5,
    )


def draw(difference, seed=0, **changes):
    target = make_target(**changes)
    rng = np.random.default_rng(seed)
    return target, lookalikes.twin(rng, target, difference=difference)


def angles(target, other):
    """Turn of one against the other, `[T]`, and their ratio of size."""
    change = other.matrix @ np.linalg.inv(target.matrix)
    scale = np.sqrt(np.linalg.det(change))
    np.testing.assert_allclose(  # A rotation times a number, whatever the stretch.
        change @ change.swapaxes(1, 2), scale[:, None, None] ** 2 * np.eye(2), atol=1e-9
    )
    return np.arctan2(change[:, 1, 0], change[:, 0, 0]), scale


def test_an_identical_twin_differs_in_its_bends_and_turns_only():
    target, other = draw(0.0, tint=np.diag([1.1, 0.9, 0.7]))
    for one, two in zip(other.skin, target.skin, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(other.marking.curve, target.marking.curve)
    np.testing.assert_allclose(other.tint, target.tint, atol=1e-12)
    np.testing.assert_array_equal(other.center, target.center)
    assert (other.relief, other.shutter) == (0.3, 0.5)
    turn, scale = angles(target, other)
    np.testing.assert_allclose(scale, 1, rtol=1e-9)
    assert turn[0] == pytest.approx(0, abs=1e-12) and np.abs(turn).max() > 0.01
    assert (other.ripple.phase != target.ripple.phase).all()
    for one, two in zip(other.ripple[:3], target.ripple[:3], strict=True):
        np.testing.assert_array_equal(one, two)


def test_differences_grow_with_the_share_and_keep_their_bounds():
    sizes, gains, shifts, marks, mirrors = [], [], [], [], 0
    for seed in range(200):
        (target, half), (_, full) = (
            draw(difference, seed) for difference in (0.5, 1.0)
        )
        logs = [np.log(angles(target, other)[1][0]) for other in (half, full)]
        np.testing.assert_allclose(logs[1], 2 * logs[0], rtol=1e-6)
        sizes.append(logs[1])
        # Grays keep their hue, so a row's sum is the change of brightness.
        gain = full.tint.sum(1)
        np.testing.assert_allclose(gain, gain[0])
        gains.append(gain[0])
        shift = full.skin.offset - target.skin.offset
        shifts.append(shift / [50, 60])  # Photograph px a rest unit.
        marks.append((full.marking.curve - target.marking.curve)[0])
        mirrors += full.skin.scale[0] < 0
    gains = np.subtract(gains, 1)
    bounds = (sizes, 0.12), (gains, 0.25), (shifts, 0.5), (marks, 0.5)
    for values, bound in bounds:
        assert bound * 0.9 < np.max(values) <= bound
        assert -bound <= np.min(values) < -bound * 0.9
    assert 70 < mirrors < 130  # Of 200 with probability 1/2: 100, deviation 7.


def test_as_many_numbers_are_drawn_whatever_the_share():
    after = []
    for difference in (0.0, 0.3, 1.0):
        rng = np.random.default_rng(5)
        lookalikes.twin(rng, make_target(), difference=difference)
        after.append(rng.random())
    assert after[0] == after[1] == after[2]


def test_a_cutout_keeps_its_video(cutout_folder):
    video = cutouts.read_cutout(cutouts.find_cutouts(cutout_folder)[0])
    skin = sprites.Footage(video, np.zeros(FRAMES, int), False)
    mirrors = 0
    for seed in range(40):
        _, other = draw(1.0, seed, skin=skin)
        assert other.skin.cutout is video and other.skin.frames is skin.frames
        mirrors += other.skin.mirror
    assert 8 < mirrors < 32
    assert not draw(0.0, skin=skin)[1].skin.mirror


def test_hues_turn_about_gray():
    third = lookalikes.hue_turn(2 * np.pi / 3)
    # Red to green, green to blue, blue to red.
    np.testing.assert_allclose(third, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-12)
    some = lookalikes.hue_turn(0.4)
    np.testing.assert_allclose(some @ np.ones(3), np.ones(3), atol=1e-12)
    np.testing.assert_allclose(some @ some.T, np.eye(3), atol=1e-12)
    # About an axis, cos of the angle is (trace - 1) / 2.
    assert np.trace(some) == pytest.approx(1 + 2 * np.cos(0.4))
