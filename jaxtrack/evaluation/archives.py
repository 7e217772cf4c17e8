"""Zips that have the same bytes every time."""

import zipfile
from collections import Counter
from pathlib import Path

from jaxtrack.errors import InputError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # The earliest that zips can say.


def files(tree: Path) -> set[str]:
    """Returns the paths of all files below a folder, relative to it, with slashes.

    Args:
      tree: the folder.
    """
    return {p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file()}


def pack(tree: Path, path: Path) -> None:
    """Packs a folder's files: ordered by name, without dates, so always to equal bytes.

    Args:
      tree: the folder; its own name is not in the zip.
      path: of the zip.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files(tree)):
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, (tree / name).read_bytes())


def unpack(path: Path, tree: Path) -> None:
    """Unpacks a zip.

    Args:
      path: of the zip.
      tree: an empty folder.

    Raises:
      InputError: it cannot be read, or a name comes twice or leads out of the folder.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if not n.endswith("/")]
            for name, count in Counter(names).items():
                if name.startswith("/") or ".." in name.split("/"):
                    raise InputError(f"{path}: {name} leads out of the folder")
                if count > 1:
                    raise InputError(f"{path}: {name} comes {count} times")
            archive.extractall(tree)
    except (OSError, zipfile.BadZipFile) as fault:
        raise InputError(f"{path}: no zip that can be read ({fault})") from None
