"""The command that scores raw result files by the rules of every toolkit.

Run: python -m jaxtrack.evaluation.rescore --sequences=DIR --results=NAME=DIR --out=DIR
"""

import json
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from jaxtrack import cli
from jaxtrack.datasets.files import list_frames
from jaxtrack.datasets.folders import image_folder
from jaxtrack.datasets.pictures import image_size
from jaxtrack.errors import InputError
from jaxtrack.evaluation import entries, raw, results
from jaxtrack.evaluation import spread as spreads
from jaxtrack.evaluation.spread import TOOLKITS, Spread


def _truth(sequences: str, ground_truth: str) -> tuple[dict, dict | None]:
    """Ground truth, and image sizes where there are images."""
    if bool(sequences) == bool(ground_truth):
        raise InputError("give one of --sequences=DIR and --ground_truth=DIR")
    if ground_truth:
        folder = Path(ground_truth)
        if not folder.is_dir():
            raise InputError(f"--ground_truth: no folder {folder}")
        files = {path.stem: path for path in sorted(folder.glob("*.txt"))}
        if not files:
            raise InputError(f"--ground_truth: no <sequence>.txt in {folder}")
        return {name: raw.read_rows(path) for name, path in files.items()}, None
    files = raw.truth_files(sequences)
    truth = {name: raw.read_rows(path) for name, path in files.items()}
    sizes = {name: _image_size(path.parent) for name, path in files.items()}
    return truth, None if None in sizes.values() else sizes


def _image_size(folder: Path) -> tuple[int, int] | None:
    """Width and height of the first image; None where there is none."""
    try:
        frames = list_frames(image_folder(folder))
    except InputError:
        return None
    return image_size(frames[0])


def _flags(folder: str, names: Sequence[str], flag: str) -> dict | None:
    """Flags of all sequences."""
    if not folder:
        return None
    files, _ = raw.find_files(folder, names, suffixes=(".txt", ".label"))
    missing = sorted(set(names) - set(files))
    if missing:
        raise InputError(f"--{flag}={folder}: no file for {', '.join(missing[:5])}")
    return {name: raw.read_flags(path) for name, path in files.items()}


def rescore(
    *,
    results_of: Sequence[str],
    out_dir: str,
    sequences: str = "",
    ground_truth: str = "",
    absent: str = "",
    cover: str = "",
    protocols: Sequence[str] = TOOLKITS,
) -> Spread:
    """Reads raw files, scores them, prints and writes what they are worth.

    Args:
      results_of: `NAME=DIR` of result files.
      out_dir: gets `spread.json` and `spread.md`.
      sequences: folder of annotated sequences; this or `ground_truth`.
      ground_truth: folder of `<sequence>.txt`.
      absent: folder of `<sequence>.txt`, 1 where the target is absent.
      cover: folder of `<sequence>.label`, 0 to 8.
      protocols: by whose rules.

    Returns:
      The scores.

    Raises:
      InputError: something is missing, damaged or refused by all protocols.
    """
    folders = entries.parse_results(results_of)
    truth, image_size = _truth(sequences, ground_truth)
    names = list(truth)
    results_read, notes = {}, {}
    for tracker, folder in folders.items():
        files, others = raw.find_files(folder, names)
        if not files:
            raise InputError(
                f"--results {tracker}={folder}: no file is named after a sequence "
                f"({names[0]}.txt, ...); it holds {', '.join(others[:5]) or 'none'}"
            )
        results_read[tracker] = {n: raw.read_rows(path) for n, path in files.items()}
        told = f"{len(others)} files belong to no sequence: {', '.join(others[:5])}"
        notes[tracker] = [told] if others else []
    spread = spreads.score_all(
        truth,
        results_read,
        protocols=protocols,
        absent=_flags(absent, names, "absent"),
        cover=_flags(cover, names, "cover"),
        image_size=image_size,
    )
    spread.notes.update(notes)
    out = Path(out_dir)
    text = json.dumps(spreads.as_json(spread), indent=1, allow_nan=False)
    results.write_text(out / "spread.json", text + "\n")
    results.write_text(out / "spread.md", spreads.markdown(spread))
    print(*spreads.table(spread), f"written: {out / 'spread.md'}", sep="\n")
    return spread


def _main() -> None:
    given = flags.FLAGS
    rescore(
        results_of=given.results,
        out_dir=given.out,
        sequences=given.sequences,
        ground_truth=given.ground_truth,
        absent=given.absent,
        cover=given.cover,
        protocols=given.protocols,
    )


def define_flags() -> None:
    """Defines the command's flags."""
    flags.DEFINE_string("sequences", "", "Folder of annotated sequences.")
    flags.DEFINE_string("ground_truth", "", "Or: folder of <sequence>.txt files.")
    flags.DEFINE_multi_string("results", [], "NAME=DIR of result files; repeatable.")
    flags.DEFINE_string("absent", "", "Folder of <sequence>.txt; 1: target absent.")
    flags.DEFINE_string("cover", "", "Folder of <sequence>.label; 0: target hidden.")
    flags.DEFINE_list("protocols", list(TOOLKITS), "By whose rules.")
    flags.DEFINE_string("out", "runs/rescore", "Gets spread.json and spread.md.")


if __name__ == "__main__":
    define_flags()
    cli.run(_main)
