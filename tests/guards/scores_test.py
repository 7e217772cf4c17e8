"""Guards what every protocol says of fixed results, and VOT's numbers.

Truths and results are those of the goldens, whose toolkits answered for some of the
protocols (`tests/goldens/ope_toolkits.npz`, `vot_pysot.npz`), and damaged copies.
"""

import functools
import pathlib
import tempfile

import numpy as np
import pytest

from tests.guards import adapter, store

NAMES = ("scores.json", "vot_scores.json")
NUMBERS = ("auc", "precision", "norm_precision", "ao", "sr50", "sr75")
CURVES = ("success_curve", "precision_curve", "norm_precision_curve")
GOLDENS = store.FOLDER.parents[1] / "goldens"
TAGS = ("camera_motion", "illum_change", "occlusion", "size_change", "motion_change")


def _part(file, prefix):
    """Returns the entries that start with a prefix, without it."""
    return {
        name.removeprefix(prefix): np.asarray(value, float)
        for name, value in file.items()
        if name.startswith(prefix)
    }


def _damaged(results):
    """Yields the name of a damage that result files are known to have, and copies."""
    for damage in ("nan", "negative", "short", "surplus"):
        copies = {name: rows.copy() for name, rows in results.items()}
        for name, rows in copies.items():
            if damage == "nan":
                rows[3] = np.nan
            elif damage == "negative":
                rows[5:7, 2:] = [-1, 4]
            elif damage == "short":
                copies[name] = rows[:-2]
            else:
                copies[name] = np.concatenate([rows, rows[-1:] + 1])
        yield damage, copies


def compute():
    """Returns tracker and protocol -> numbers, sums of curves, sequences' numbers."""
    with np.load(GOLDENS / "ope_toolkits.npz") as file:
        file = {name: file[name] for name in file if "/" not in name}
    good, drift = _part(file, "result_good_"), _part(file, "result_drift_")
    trackers = {"good": good, "drift": drift, **dict(_damaged(drift))}
    given = {
        "absent": _part(file, "absent_"),
        "cover": _part(file, "cover_"),
        "image_size": _part(file, "size_"),
    }
    found = {}
    for tracker, results in trackers.items():
        found[tracker] = {}
        for protocol in adapter.protocols():
            score = functools.partial(adapter.score, protocol=protocol, **given)
            # Some sequences some protocols refuse.
            truth = _part(file, "truth_")
            alone = [{name: rows} for name, rows in truth.items()]
            taken = [t for t in alone if score(t, results) is not None]
            truth = {name: rows for one in taken for name, rows in one.items()}
            found[tracker][protocol] = truth and _numbers(score(truth, results))
    return found


def _numbers(report):
    """Returns numbers, weighted sums of curves, and every sequence's four numbers."""
    curves = [getattr(report, name) for name in CURVES]
    return {
        "numbers": [getattr(report, name) for name in NUMBERS],
        "curves": [float(c @ np.sin(np.arange(len(c)) + 1)) for c in curves],
        "sequences": {
            name: [getattr(one, name) for name in NUMBERS[:4]]
            + [float(one.iou.sum()), one.num_unusable]
            for name, one in report.sequences.items()
        },
    }


def compute_vot():
    """Returns tracker and edition -> numbers, by tag and by sequence too."""
    with np.load(GOLDENS / "vot_pysot.npz") as file:
        file = {name: file[name] for name in file}
    truth = {name: rows / 1e4 for name, rows in _part(file, "truth_").items()}
    given = {
        "image_size": {n: tuple(map(int, v)) for n, v in _part(file, "size_").items()},
        "tags": {
            name: dict(zip(TAGS, rows, strict=True))
            for name, rows in _part(file, "tags_").items()
        },
    }
    found = {}
    for tracker in ("steady", "slide"):
        found[tracker] = {}
        runs = _read(file, tracker, truth)
        for edition in adapter.editions():
            report = adapter.score_vot(truth, runs, edition=edition, **given)
            found[tracker][edition] = _vot_numbers(report)
    return found


def _read(file, tracker, names):
    """Writes a tracker's files as goldens hold them, and reads them."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = adapter.vot_path(pathlib.Path(folder), name)
            path.parent.mkdir(parents=True)
            path.write_bytes(file[f"file_{tracker}_{name}"].tobytes())
        return adapter.read_vot(folder, names)


def _vot_numbers(report):
    """Returns numbers of all frames, of those with a tag, and of each sequence."""
    curve = np.nan_to_num(report.eao_curve)
    tags = report.tags.items()
    return {
        "numbers": [report.eao, report.accuracy, report.robustness, report.failures],
        "curve": float(curve @ np.sin(np.arange(len(curve)) + 1)),
        "tags": {n: [t.eao, t.accuracy, t.robustness, t.failures] for n, t in tags},
        "sequences": {
            name: [one.accuracy, *one.failures]
            for name, one in report.sequences.items()
        },
    }


def make():
    store.write(NAMES[0], store.rounded_tree(compute()))
    store.write(NAMES[1], store.rounded_tree(compute_vot()))


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_what_they_were(name):
    found = compute() if name == NAMES[0] else compute_vot()
    store.assert_close(found, store.read(name), atol=1e-6)
