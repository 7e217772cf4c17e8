"""Submissions: result files in the form that servers and toolkits take, checked.

| benchmark | files | rows |
|---|---|---|
| GOT-10k | `<seq>/<seq>_001.txt`, `<seq>/<seq>_time.txt` | `%.3f`, times `%.8f` s |
| TrackingNet | `<video>.txt` | `%.2f` |
| LaSOT, TNL2K | `<tracker>_tracking_result/<seq>.txt` | `%.3f` |
| VOT | `baseline/<seq>/<seq>_001.txt` ..., `_time.txt`, `_001_time.value` | `%.4f` |
| others | `<seq>.txt`, and perhaps `times/<seq>_time.txt` | `%.3f`, `%.8f` s |

Rows are x,y,w,h in the benchmark's own coordinates, the first one the given box; VOT's
may be the codes of `vot_files`.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jaxtrack.datasets import Benchmark, files
from jaxtrack.errors import InputError
from jaxtrack.evaluation import archives, atomic, results, vot_files
from jaxtrack.metrics import vot_input

_NEAR_PX = 0.05  # Float32 keeps the given box better than this.
_POSITIVE = np.nextafter(0, 1)  # The least time.
_FOLDER = "_tracking_result"


@dataclass(frozen=True)
class _Format:
    """How a benchmark wants its files.

    Attributes:
      boxes: path of a sequence's boxes.
      times: path of its times; "" for none.
      decimals: of the boxes.
      needs_times: whether times must be there.
      needs_zip: whether the server takes nothing but a zip.
    """

    boxes: str = "{name}.txt"
    times: str = ""
    decimals: int = 3
    needs_times: bool = False
    needs_zip: bool = False


# Benchmarks that a server scores, or an official toolkit whose layout is its own.
SERVERS = (
    "got10k_val",
    "got10k_test",
    "trackingnet",
    "lasot",
    "tnl2k",
    "vot2018",
    "vot2019",
)
_OTB = _Format(times="times/{name}_time.txt")
_GOT10K = _Format("{name}/{name}_001.txt", "{name}/{name}_time.txt", needs_times=True)
_FORMATS = {
    "got10k_val": _GOT10K,
    "got10k_test": replace(_GOT10K, needs_zip=True),
    "trackingnet": _Format(decimals=2, needs_zip=True),
    "lasot": _Format(boxes="{tracker}" + _FOLDER + "/{name}.txt"),
    "tnl2k": _Format(boxes="{tracker}" + _FOLDER + "/{name}.txt"),
}


def write(benchmark: Benchmark, results_folder: str | Path, out: str | Path) -> Path:
    """Writes a submission, whole or not at all, and checks it before it is there.

    Zips are the same to the byte for the same results.

    Args:
      benchmark: complete; a part of one cannot be sent.
      results_folder: of one tracker, as `run.track_checkpoint` fills it, in the
        coordinates of the benchmark's files; of VOT as `vot_run.track_checkpoint` does.
        Its name is the tracker's.
      out: the file to write where it ends in `.zip`, else a folder that does not exist.

    Returns:
      `out`.

    Raises:
      InputError: the benchmark is not complete, results are missing, damaged or not of
        it, a box is empty, a time is not positive, or `out` cannot be written.
    """
    folder, out = Path(results_folder), Path(out)
    rules = _rules(benchmark)
    _check_complete(benchmark)
    is_zip = out.suffix == ".zip"
    if rules.needs_zip and not is_zip:
        raise InputError(f"{out}: {benchmark.name}'s server takes a zip: name it .zip")
    if not is_zip and out.exists():
        raise InputError(f"{out} exists: name a new folder, or a file ending in .zip")
    with atomic.staging(out) as stage:
        tree = stage / "tree"
        if benchmark.regions:
            _write_vot(benchmark, folder, tree)
        else:
            _write_boxes(benchmark, folder, tree, rules)
        made = tree
        if is_zip:
            made = stage / "made.zip"
            archives.pack(tree, made)
        _check(benchmark, made, shown=out)
        atomic.move(made, out)
    return out


def check(benchmark: Benchmark, path: str | Path) -> None:
    """Opens a submission and compares it with the benchmark.

    Names and number of files, number of rows, the first one (the given box, within the
    format's rounding), finite boxes of positive size, times; nothing more may be there.

    Args:
      benchmark: complete.
      path: of the zip or folder.

    Raises:
      InputError: naming file and line at fault.
    """
    _check_complete(benchmark)
    _check(benchmark, Path(path), shown=Path(path))


def _rules(benchmark):
    """Returns the format of a benchmark."""
    return _FORMATS.get(benchmark.name, _OTB)


def _check_complete(benchmark):
    """Refuses a part of a benchmark."""
    if len(benchmark.videos) != benchmark.num_expected:
        raise InputError(
            f"a submission of {benchmark.name} needs all its {benchmark.num_expected} "
            f"sequences; {len(benchmark.videos)} are loaded from {benchmark.root}"
        )


def _write_boxes(benchmark, folder, tree, rules):
    """Writes the boxes and times of every sequence."""
    counts = {v.name: len(v.frames) for v in benchmark.videos}
    for name, xywh in results.read_results(folder, counts).items():
        given = benchmark.truth[name][0]
        if not np.abs(xywh[0] - given).max() <= _NEAR_PX:
            raise InputError(
                f"{folder / name}.txt, line 1: {xywh[0].tolist()} is not the given box "
                f"{given.tolist()}: these are results of other data"
            )
        xywh[0] = given
        lines = [",".join(f"{v:.{rules.decimals}f}" for v in box) for box in xywh]
        place = rules.boxes.format(name=name, tracker=folder.absolute().name)
        atomic.write_text(tree / place, "".join(f"{line}\n" for line in lines))
        path = results.time_path(folder, name)
        if rules.times and (rules.needs_times or path.is_file()):
            seconds = _read_times(path, (counts[name], 1))
            text = "".join(f"{s:.8f}\n" for s in seconds[:, 0])
            atomic.write_text(tree / rules.times.format(name=name), text)


def _write_vot(benchmark, folder, tree):
    """Writes runs, and their times as the old toolkit and as the new one reads them."""
    counts = {v.name: len(v.frames) for v in benchmark.videos}
    for name, runs in vot_files.read_runs(folder, counts).items():
        path = vot_files.sequence_folder(folder, name) / f"{name}_time.txt"
        seconds = _read_times(path, (counts[name], len(runs)), least=0.0)
        vot_files.write_runs(tree, name, runs, seconds)
        where = vot_files.sequence_folder(tree, name)
        for number, column in enumerate(seconds.T, start=1):
            text = "".join(f"{s:.6f}\n" for s in column)
            atomic.write_text(where / f"{name}_{number:03d}_time.value", text)


def _read_times(path, shape, least=_POSITIVE):
    """Returns seconds, one row a frame, one column a repetition."""
    if not path.is_file():
        raise InputError(f"no file of times {path}")
    seconds = files.read_rows(path, shape[1], allow_infinite=True)
    if len(seconds) != shape[0]:
        raise InputError(f"{path}: {len(seconds)} times for {shape[0]} frames")
    bad = ~np.all((seconds >= least) & (seconds < 1e9), axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{path}, line {row + 1}: {seconds[row].tolist()}: expected times in "
            f"seconds, {'not negative' if least == 0 else 'positive'}"
        )
    return seconds


def _check(benchmark, path, shown):
    """Checks a zip or a folder; messages speak of it as `shown`."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = path if path.is_dir() else Path(scratch)
        try:
            if not path.is_dir():
                archives.unpack(path, tree)
            if benchmark.regions:
                _check_vot(benchmark, tree)
            else:
                _check_boxes(benchmark, tree)
        except InputError as fault:
            message = str(fault).replace(str(tree), str(shown))
            raise InputError(message.replace(str(path), str(shown))) from None


def _check_names(tree, needed, allowed=frozenset()):
    """Compares the names of files."""
    there = archives.files(tree)
    for name in sorted(needed - there):
        raise InputError(f"{tree}: {name} is missing ({len(needed - there)} are)")
    for name in sorted(there - needed - allowed):
        raise InputError(f"{tree}: {name} does not belong into it")
    return there


def _check_boxes(benchmark, tree):
    """Checks a folder of boxes and times."""
    rules = _rules(benchmark)
    counts = {v.name: len(v.frames) for v in benchmark.videos}
    tops = sorted(p.name for p in tree.iterdir() if p.name.endswith(_FOLDER))
    tracker = tops[0].removesuffix(_FOLDER) if tops else ""
    boxes = {n: rules.boxes.format(name=n, tracker=tracker) for n in counts}
    times = {n: rules.times.format(name=n) for n in counts if rules.times}
    needed = {*boxes.values(), *(times.values() if rules.needs_times else ())}
    there = _check_names(tree, needed, set(times.values()))
    for name, count in counts.items():
        path = tree / boxes[name]
        xywh = results.read_boxes_xywh(path, count)
        given = benchmark.truth[name][0]
        if not np.abs(xywh[0] - given).max() <= 10.0**-rules.decimals:
            raise InputError(
                f"{path}, line 1: {xywh[0].tolist()} is not the given box "
                f"{given.tolist()}"
            )
        empty = ~np.all(xywh[:, 2:] > 0, axis=1)
        if empty.any():
            row = int(np.argmax(empty))
            raise InputError(
                f"{path}, line {row + 1}: box {xywh[row].tolist()} has no size"
            )
        if times.get(name) in there:
            _read_times(tree / times[name], (count, 1))


def _check_vot(benchmark, tree):
    """Checks a folder of VOT's runs."""
    counts = {v.name: len(v.frames) for v in benchmark.videos}
    needed = set()
    for name, runs in vot_files.read_runs(tree, counts).items():
        where = vot_files.sequence_folder(tree, name)
        paths = vot_files.run_paths(tree, name)
        try:
            vot_input.unique_runs(name, runs, counts[name])
        except InputError as fault:
            raise InputError(f"{where}: {fault}") from None
        for path, rows in zip(paths, runs, strict=True):
            for line, row in enumerate(rows, start=1):
                if len(row) == 4 and not np.all(row[2:] > 0):
                    raise InputError(f"{path}, line {line}: {row.tolist()} has no size")
            value = path.with_name(f"{path.stem}_time.value")
            _read_times(value, (counts[name], 1), least=0.0)
            needed |= {p.relative_to(tree).as_posix() for p in (path, value)}
        legacy = where / f"{name}_time.txt"
        _read_times(legacy, (counts[name], len(runs)), least=0.0)
        needed.add(legacy.relative_to(tree).as_posix())
    _check_names(tree, needed)
