"""Guards a run of evaluation from a checkpoint to its result files and its report.

One pass over a small OTB beside two other trackers' files, and VOT's experiment with
resets, each with settings of tracking other than the checkpoint's. What changes from
run to run (times, versions, paths) is left out. That a checkpoint written by a training
gives what was saved is tested in `tests/training/checkpoint_test.py`.
"""

import functools
import pathlib
import tempfile

import cv2
import numpy as np
import pytest

from tests.guards import adapter, store
from tests.guards.light import Light

NAMES = {"otb100": "evaluation_ope.json", "vot2018": "evaluation_vot.json"}
# The same for both, so that both share what is compiled.
CHANGES = {
    **{"window": 0.8, "penalty": 0.2, "size_rate": 0.1},
    **{"num_boxes": 2, "quality_power": 0.8},
}
# Of a report, what differs from run to run, says how it was made, or is prose.
VOLATILE = ("second", "stamp", "notes", "summary", "skipped")
HW = (40, 56)


def light(**options):
    """Returns `siamcar_lite0` on a backbone that compiles fast."""
    return adapter.with_backbone(adapter.build("siamcar_lite0", **options), Light())


def picture(number, box):
    """Draws waves with a bright box `x, y, w, h`."""
    y, x = np.mgrid[: HW[0], : HW[1]] / 7
    waves = [np.sin((k + 1) * x / 3 + (number + 3) * y / 5) for k in range(3)]
    image = np.uint8(110 + 60 * np.stack(waves, -1))
    x, y, w, h = (round(v) for v in box)
    image[max(y, 0) : y + h, max(x, 0) : x + w] = (250, 190, 40)
    return image


def path_of_box(count):
    """Returns boxes `x, y, w, h` that wander, counted from 1."""
    t = np.arange(count)
    x, y = 20 + 7 * np.sin(t / 9), 14 + 5 * np.sin(t / 7)
    return np.stack([x, y, 12 + t % 4, 10 + t % 3], 1).round(1)


def write_otb(folder):
    """Writes two sequences of OTB and the results of two trackers."""
    for name, count in (("Boy", 7), ("Car1", 5)):
        truth = path_of_box(count)
        (folder / f"root/{name}/img").mkdir(parents=True)
        for number, box in enumerate(truth, start=1):
            path = folder / f"root/{name}/img/{number:04d}.jpg"
            cv2.imwrite(str(path), picture(number, box - [1, 1, 0, 0]))
        _text(folder / f"root/{name}/groundtruth_rect.txt", truth, ",")
        _text(folder / f"exact/{name}.txt", truth, ",")
        off = truth + np.array([2.5, -1.5, 3, 1])
        off[2] = [9, 8, 0, 5]
        # A spelling and separators that toolkits take, and a box without a width.
        _text(folder / f"others/{name.lower()}.txt", off, "\t")
    return {"exact": folder / "exact", "others": folder / "others"}


def write_vot(folder):
    """Writes two sequences of VOT, one with corners, one with a tag."""
    for name, count in (("ants1", 104), ("bag", 30)):
        truth = path_of_box(count) - [1, 1, 0, 0]
        (folder / f"root/{name}/color").mkdir(parents=True)
        for number, box in enumerate(truth, start=1):
            path = folder / f"root/{name}/color/{number:08d}.jpg"
            cv2.imwrite(str(path), picture(number, box))
        if name == "bag":
            (x, y, w, h), one = truth.T, np.ones(count)
            truth = np.stack([x + one, y, x + w, y + one, x + w - 1, y + h, x, y + h])
            truth = truth.T
            (folder / f"root/{name}/occlusion.tag").write_text("0\n" * 8 + "1\n" * 22)
        _text(folder / f"root/{name}/groundtruth.txt", truth, ",")
    return {}


def _text(path, rows, separator):
    """Writes numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [separator.join(f"{value:.1f}" for value in row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines))


@functools.cache
def variables():
    """Draws the network's weights once, so that boxes stay near where they were."""
    drawn = adapter.drawn_variables(light(), seed=2)
    kernel = drawn["params"]["head"]["bbox_pred"]["kernel"]
    kernel *= np.float32(0.1)
    return drawn


def compute(benchmark):
    """Evaluates; returns numbers of the report and of the result files."""
    config = adapter.settings("siamcar_lite0", model="guard_light", correlation="")
    with (
        adapter.registered("guard_light", light),
        tempfile.TemporaryDirectory() as folder,
    ):
        folder = pathlib.Path(folder)
        adapter.save_checkpoint(folder / "checkpoint", config, variables())
        write = write_otb if benchmark == "otb100" else write_vot
        report = adapter.evaluate(
            *(benchmark, folder / "root", folder / "out"),
            checkpoints={"ours": folder / "checkpoint"},
            results=write(folder),
            changes=CHANGES,
        )
        files = {
            str(path.relative_to(folder / "out")): _read(path)
            for path in sorted((folder / "out/results").rglob("*.txt"))
            if "time" not in path.name
        }
    return {"files": files, **dict(_flat(report))}


def _read(path):
    """Reads a result file."""
    lines = path.read_text().replace(",", " ").split("\n")
    return [[float(v) for v in line.split()] for line in lines if line]


def _flat(tree, where=()):
    """Yields the dictionaries of a report's JSON that hold values, by their paths."""
    values = {}
    for key, value in tree.items():
        if any(word in key for word in VOLATILE):
            continue
        if isinstance(value, dict):
            yield from _flat(value, (*where, key))
        else:
            values[key] = _short(value)
    if values:
        yield " / ".join(where), values


def _short(value):
    """Keeps of a curve its length, its sum and a weighted sum."""
    if not isinstance(value, list) or len(value) < 10:
        return value
    curve = np.nan_to_num(np.array(value, float))
    weights = np.sin(np.arange(len(curve)) + 1)
    return [len(curve), float(curve.sum()), float(curve @ weights)]


def make():
    for benchmark, name in NAMES.items():
        store.write(name, store.rounded_tree(compute(benchmark)))


@pytest.mark.parametrize("benchmark", NAMES)
def test_results_and_report_are_what_they_were(benchmark):
    found, expected = compute(benchmark), store.read(NAMES[benchmark])
    # Files have four digits behind the point; boxes follow float32.
    store.assert_close(found.pop("files"), expected.pop("files"), atol=2e-3)
    store.assert_close(found, expected, atol=1e-4)
