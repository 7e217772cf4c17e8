"""Submissions: result files in the form that servers and toolkits take, in a zip.

| benchmark | files | rows |
|---|---|---|
| GOT-10k | `<seq>/<seq>_001.txt`, `<seq>/<seq>_time.txt` | `%.3f`, times `%.8f` s |
| TrackingNet | `<video>.txt` | `%.2f` |
| LaSOT, TNL2K | `<tracker>_tracking_result/<seq>.txt` | `%.3f` |
| VOT | `baseline/<seq>/<seq>_001.txt` ..., `_time.txt`, `_001_time.value` | `%.4f` |

Rows are x,y,w,h in the benchmark's own coordinates, the first one the given box; VOT's
may be the codes of `vot_files`.
"""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import Benchmark, files
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, results, vot_files
from jaxtrack.metrics import vot_input

_NEAR_PX = 0.05  # Float32 keeps the given box better than this.
_POSITIVE = np.nextafter(0, 1)  # The least time.
_EPOCH = (1980, 1, 1, 0, 0, 0)  # The earliest date that zips can hold.


class _Format(NamedTuple):
    """How a benchmark wants its files.

    Attributes:
      boxes: path of a sequence's boxes.
      times: path of its times; "" for none.
      decimals: of the boxes.
    """

    boxes: str
    times: str = ""
    decimals: int = 3


_GOT10K = _Format("{name}/{name}_001.txt", "{name}/{name}_time.txt")
_MATLAB = _Format("{tracker}_tracking_result/{name}.txt")
_FORMATS = {
    "got10k_val": _GOT10K,
    "got10k_test": _GOT10K,
    "trackingnet": _Format("{name}.txt", decimals=2),
    "lasot": _MATLAB,
    "tnl2k": _MATLAB,
}


def is_taken(benchmark: Benchmark) -> bool:
    """Whether a server scores it, or a toolkit whose layout is its own.

    Args:
      benchmark: perhaps a part of one.
    """
    return benchmark.name in _FORMATS or bool(benchmark.regions)


def write(benchmark: Benchmark, results_folder: str | Path, out: str | Path) -> Path:
    """Writes a submission, whole or not at all, with the same bytes for the same files.

    Args:
      benchmark: complete; a part of one cannot be sent.
      results_folder: of one tracker, as `run.track_checkpoint` fills it, in the
        coordinates of the benchmark's files; of VOT as `vot_run.track_checkpoint` does.
        Its name is the tracker's.
      out: the zip to write.

    Returns:
      `out`.

    Raises:
      InputError: the benchmark is not complete, results are missing, damaged or not of
        it, a box is empty, a time is not positive, or `out` cannot be written.
    """
    folder, out = Path(results_folder), Path(out)
    if len(benchmark.videos) != benchmark.num_expected:
        raise InputError(
            f"a submission of {benchmark.name} needs all its {benchmark.num_expected} "
            f"sequences; {len(benchmark.videos)} are loaded from {benchmark.root}"
        )
    texts = (_vot_texts if benchmark.regions else _box_texts)(benchmark, folder)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in sorted(texts.items()):
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)
    atomic.write_bytes(out, packed.getvalue())
    return out


def _box_texts(benchmark: Benchmark, folder: Path) -> dict[str, str]:
    """Files of boxes and times of every sequence."""
    form, texts = _FORMATS[benchmark.name], {}
    counts = {v.name: len(v.frames) for v in benchmark.videos}
    for name, xywh in results.read_results(folder, counts).items():
        path, first_box = folder / f"{name}.txt", benchmark.truth[name][0]
        if not np.abs(xywh[0] - first_box).max() <= _NEAR_PX:
            raise InputError(
                f"{path}, line 1: {xywh[0].tolist()} is not the given box "
                f"{first_box.tolist()}: these are results of other data"
            )
        xywh[0] = first_box
        empty = ~np.all(xywh[:, 2:].round(form.decimals) > 0, axis=1)
        if empty.any():
            row = int(np.argmax(empty))
            raise InputError(
                f"{path}, line {row + 1}: box {xywh[row].tolist()} has no size at "
                f"{form.decimals} decimals"
            )
        place = form.boxes.format(name=name, tracker=folder.absolute().name)
        texts[place] = results.format_boxes(xywh, decimals=form.decimals)
        if form.times:
            seconds = _read_times(results.time_path(folder, name), (counts[name], 1))
            text = "".join(f"{s:.8f}\n" for s in seconds[:, 0])
            texts[form.times.format(name=name)] = text
    return texts


def _vot_texts(benchmark: Benchmark, folder: Path) -> dict[str, str]:
    """Files of runs, with times as the old toolkit and as the new one reads them."""
    texts = {}
    counts = {v.name: len(v.frames) for v in benchmark.videos}
    for name, runs in vot_files.read_runs(folder, counts).items():
        where = vot_files.sequence_folder(folder, name)
        try:
            vot_input.unique_runs(name, runs, counts[name])
        except InputError as fault:
            raise InputError(f"{where}: {fault}") from None
        for path, rows in zip(vot_files.run_paths(folder, name), runs, strict=True):
            for line, row in enumerate(rows, start=1):
                if len(row) == 4 and not np.all(row[2:].round(4) > 0):
                    raise InputError(f"{path}, line {line}: {row.tolist()} has no size")
        shape = (counts[name], len(runs))
        seconds = _read_times(where / f"{name}_time.txt", shape, least=0.0)
        texts |= vot_files.texts_of(name, runs, seconds)
        for number, column in enumerate(seconds.T, start=1):
            place = f"{vot_files.EXPERIMENT}/{name}/{name}_{number:03d}_time.value"
            texts[place] = "".join(f"{s:.6f}\n" for s in column)
    return texts


def _read_times(
    path: Path, shape: tuple[int, int], least: float = _POSITIVE
) -> np.ndarray:
    """Returns seconds, one row per frame, one column per repetition."""
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
