"""Names that were meant to harm: in options, folders and archives."""

import io
import zipfile

import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.weights import files

pytestmark = pytest.mark.slow
NAMES = (
    *("<script>alert(1)</script>", "../up", "/etc/passwd", "a\0b", "n" * 300),
    *("a=b", "a b", "ä", ".", "..", "~", "$(touch x)", "%s", "-x"),
)


def write_truth(folder, name):
    """Writes a sequence's truth and its equal result; False where no file can be."""
    for part in ("truth", "results"):
        try:
            (folder / part).mkdir(exist_ok=True)
            path = folder / part / f"{name}.txt"
            path.write_text("1,2,30,40\n2,3,30,40\n3,4,30,40\n")
        except (OSError, ValueError):
            return False
        if path.parent != folder / part or "/" in name:
            return False
    return True


def listed(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


@pytest.mark.parametrize("place", ["tracker", "sequence"])
def test_a_name_stays_in_its_folder_and_its_page(tmp_path, place, capsys, row):
    found = {"done": 0, "refused": 0}
    for number, name in enumerate(NAMES):
        if "\0" in name:  # Which no system takes in an option or a path.
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        sequence, tracker = ("a", name) if place == "tracker" else (name, "t")
        if not write_truth(folder, sequence):
            continue
        before = listed(tmp_path) - {f"{number}/out"}
        command = ["eval", f"--ground_truth={folder / 'truth'}"]
        command += [f"--results={tracker}={folder / 'results'}", f"--out={folder}/out"]
        try:
            cli.main(command)
            found["done"] += 1
        except SystemExit as end:
            assert end.code == 2, name
            found["refused"] += 1
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        new = listed(tmp_path) - before
        assert all(p.startswith(f"{number}/out") for p in new), (name, new)
        page = folder / "out" / "report.html"
        assert not page.exists() or "<script>alert(1)" not in page.read_text()
    row(
        f"names such as HTML, `../up`, `/etc/passwd`, 300 letters, `a=b` for a {place}",
        sum(found.values()),
        f"scored: {found['done']}, nothing outside of the folder, no HTML in the page; "
        f"one-line errors: {found['refused']}",
    )


def test_archives_write_nothing_and_run_nothing(tmp_path, row):
    numbers = io.BytesIO()
    np.save(numbers, np.ones(3, np.float32))
    before = listed(tmp_path)
    for name in NAMES:
        path = tmp_path / "weights.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.npy".replace("\0", "_"), numbers.getvalue())
        try:
            (array,) = files.read(path).arrays.values()
            assert array.tolist() == [1, 1, 1]
        except InputError as fault:
            assert "\n" not in str(fault)
        assert listed(tmp_path) == before | {"weights.npz"}
    row(
        "such a name in an archive of weights",
        len(NAMES),
        "read, or a one-line error; nothing written",
    )
