"""Tests for jaxtrack.annotation and `jaxtrack annotate`, with a scripted tracker."""

import cv2
import numpy as np
import pytest

from jaxtrack import annotation, cli, session

COUNT = 10
TRUTH = np.array([[4.0 + 2 * n, 10, 10, 10] for n in range(COUNT)])
ELSEWHERE = np.array([40.0, 20, 10, 10])  # A look-alike.


class Follower:
    """Follows the target, but goes over to the look-alike at `lost_at`, forwards.

    A picture's level is its number. Whatever is followed backwards is followed on.
    """

    def __init__(self, lost_at=COUNT, error=0.0):
        self.lost_at, self.error = lost_at, error

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        pass

    def init(self, image, xywh):
        self.number = int(image[0, 0, 0])
        self.is_lost = abs(xywh[0] - TRUTH[self.number, 0]) > 5

    def update(self, image):
        number = int(image[0, 0, 0])
        is_forward, self.number = number > self.number, number
        self.is_lost |= is_forward and number >= self.lost_at
        box = ELSEWHERE if self.is_lost else TRUTH[number]
        error = self.error if is_forward else -self.error
        return box + np.array([error, 0, 0, 0]), 0.8


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return write_frames(tmp_path_factory.mktemp("video") / "img")


def write_frames(folder):
    """Writes pictures whose level is their number, and returns their files."""
    folder.mkdir()
    for number in range(COUNT):
        image = np.full((40, 64, 3), number, np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return [folder / f"{number}.png" for number in range(COUNT)]


def test_boxes_of_both_ways_are_averaged_between_two_known_ones(frames):
    # Forwards they lie 1 px right, backwards 1 px left: of frame 3 of 9 the mean is
    # 1 - 2 * 3 / 9 px right, and the two meet in 8 of 12 columns.
    known = {0: TRUTH[0], 9: TRUTH[9]}
    found = annotation.label(frames, known, Follower(error=1.0))
    shift = found.xywh[1:-1] - TRUTH[1:-1]
    assert np.allclose(shift[:, 0], [1 - 2 * n / 9 for n in range(1, 9)])
    assert np.allclose(shift[:, 1:], 0)
    assert np.allclose(found.agreement[1:-1], 8 / 12)
    assert np.array_equal(found.xywh[[0, 9]], TRUTH[[0, 9]])
    assert np.allclose(found.score, [1] + [0.8] * 8 + [1])


def test_a_jump_to_a_look_alike_disagrees(frames):
    found = annotation.label(frames, {0: TRUTH[0], 9: TRUTH[9]}, Follower(lost_at=6))
    kept = annotation.accepted(found, agreement=0.7)
    assert list(np.flatnonzero(~kept)) == [6, 7, 8]
    assert annotation.to_correct(kept) == [range(6, 9)]
    # From the start alone, what comes back from behind frame 5 is the look-alike.
    found = annotation.label(frames, {0: TRUTH[0]}, Follower(lost_at=6))
    assert list(found.agreement) == [1] * 6 + [0] * 4


def test_one_end_is_tracked_away_from_and_back_in_chunks(frames, monkeypatch):
    # The ways back go from 3 to 0, and from 6, which is lost, 4, 5 and 6 to 3 and 4.
    monkeypatch.setattr(annotation, "CHUNK", 3)
    starts, init = [], Follower.init
    monkeypatch.setattr(
        Follower,
        "init",
        lambda self, image, box: (
            starts.append(int(image[0, 0, 0])) or init(self, image, box)
        ),
    )
    found = annotation.label(frames, {0: TRUTH[0]}, Follower(lost_at=6))
    assert list(found.agreement) == [1] * 6 + [0] * 4
    assert starts == [0, 3, 6, 4, 5, 6]
    found = annotation.label(frames, {9: TRUTH[9]}, Follower())
    assert np.array_equal(found.xywh, TRUTH)
    assert np.allclose(found.agreement, 1)


def test_an_absent_target_is_neither_tracked_nor_to_be_corrected(frames):
    absent = np.full(4, np.nan)
    known = {0: TRUTH[0], 3: absent, 6: absent, 8: TRUTH[8]}
    found = annotation.label(frames, known, Follower())
    is_there = np.isfinite(found.xywh).all(axis=1)
    assert list(np.flatnonzero(~is_there)) == [3, 4, 5, 6]
    assert annotation.to_correct(annotation.accepted(found, agreement=0.7)) == []
    assert np.array_equal(found.xywh[is_there], TRUTH[is_there])


def test_no_known_box_is_a_fault(frames):
    for known in ({}, {10: TRUTH[0]}):
        with pytest.raises(ValueError, match="of 10"):
            annotation.label(frames, known, Follower())


def test_the_command_labels_and_says_what_to_correct(
    frames, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(session, "load", lambda *args, **how: Follower(lost_at=6))
    out, video = tmp_path / "labels", str(frames[0].parent)
    cli.main(["annotate", video, "--box=4,10,10,10", f"--out={out}"])
    told = capsys.readouterr().out
    assert "6 of 10 frames labeled from 1 known" in told
    assert "frames 6 to 9 (middle 8)" in told
    assert (out / "correct.jpg").read_bytes()[:2] == b"\xff\xd8"
    with (out / "keys.csv").open("a") as file:
        file.write("9,22,10,10,10\n6,nan,nan,nan,nan\n")
    cli.main(["annotate", video, f"--out={out}"])
    # 7 and 8 are found from 9, backwards; forwards from 7 the look-alike is.
    assert "8 of 10 frames labeled from 3 known" in capsys.readouterr().out
    lines = (out / "groundtruth_rect.txt").read_text().splitlines()
    assert lines[0] == "4.00,10.00,10.00,10.00" and lines[6] == "nan,nan,nan,nan"
    assert (out / "img" / "0.png").is_file()
    lines = (out / "labels.csv").read_text().splitlines()
    assert lines[1] == "0,4.00,10.00,10.00,10.00,1.00,1.00,1" and len(lines) == 11


@pytest.mark.parametrize(
    "line", ["10,1,1,5,5", "2,1,1,5", "2,1,1,0,5", "2,nan,1,5,5", "two,1,1,5,5"]
)
def test_a_line_that_is_no_box_is_named(frames, tmp_path, capsys, line):
    (tmp_path / "keys.csv").write_text(f"frame,x,y,w,h\n0,4,10,10,10\n{line}\n")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["annotate", str(frames[0].parent), f"--out={tmp_path}"])
    assert "keys.csv, line 3: expected frame,x,y,w,h" in capsys.readouterr().err


def test_nothing_is_left_of_a_box_or_video_that_is_none(frames, tmp_path, capsys):
    for video, box, said in (
        (str(frames[0].parent), "--box=1,2,3", "is neither a box nor a file"),
        (str(tmp_path / "absent.mp4"), "--box=1,2,3,4", "no video"),
        (str(frames[0].parent), "--agreement=0.6", "give the first box by --box"),
    ):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["annotate", video, box, f"--out={tmp_path / 'new'}"])
        assert said in capsys.readouterr().err
        assert not (tmp_path / "new").exists()
