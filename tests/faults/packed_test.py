"""A packed folder with a file deleted, cut or changed, read by a process."""

import pathlib
import random
import shutil

import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.data import build, pipeline
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource
from jaxtrack.errors import InputError
from tests.data.conftest import WHOLE, write_sequence

pytestmark = pytest.mark.slow
CHANGES = ("delete", "halve", "flip", "flip")


def change(path, kind, generator):
    """Damages a file."""
    if kind == "delete":
        path.unlink()
        return
    data = bytearray(path.read_bytes())
    if kind == "halve":
        data = data[: len(data) // 2]
    else:
        data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    path.write_bytes(data)


def frames_of(folder):
    """Reads every frame and box of a packed folder."""
    source = RecordSource(folder)
    found = []
    for track in range(source.num_tracks):
        boxes = source.track_boxes(track)
        found.append(np.array(boxes))
        for time in np.flatnonzero(~np.isnan(boxes[:, 0])):
            found.append(source.frame(track, int(time)).image)
    return found


def packed(folder):
    """Packs two short sequences."""
    for seed, name in enumerate("ab"):
        write_sequence(folder / "sequences" / name, seed)
    out = folder / "records"
    build.build(out, root=folder / "sequences", shrink=WHOLE, num_workers=1)
    return out


def test_what_is_read_is_what_was_packed_or_one_line_says_why_not(tmp_path, row):
    whole = packed(tmp_path)
    expected, generator = frames_of(whole), random.Random(0)
    found = {"equal": 0, "refused": 0}
    for file in sorted(p for p in whole.iterdir() if p.is_file()):
        for number, kind in enumerate(CHANGES):
            work = tmp_path / f"{file.name}{number}"
            shutil.copytree(whole, work)
            change(work / file.name, kind, generator)
            try:
                read = frames_of(work)
            except InputError as fault:
                assert "\n" not in str(fault).strip(), fault
                found["refused"] += 1
            else:
                for a, b in zip(read, expected, strict=True):
                    np.testing.assert_array_equal(a, b, err_msg=f"{file}, {kind}")
                found["equal"] += 1
            shutil.rmtree(work)
    assert found["refused"] >= 10
    row(
        "a file of a packed folder deleted, cut, or one bit of it flipped",
        f"{sum(found.values()) // len(CHANGES)} files, {len(CHANGES)} times",
        f"read, equal: {found['equal']}; one-line errors: {found['refused']}",
    )


def test_a_loader_process_names_a_damaged_shard(tmp_path, row):
    whole = packed(tmp_path)
    portion = Portion(whole.name, RecordSource(whole), 100)
    stream = pipeline.from_portions(
        [portion],
        settings=PairSettings(32, 64, context=0.5, negative_ratio=0.0),
        augmentation=Augmentation(**get_config().augment),
        batch_size=2,
        seed=0,
        num_workers=1,
    )
    (shard,) = whole.glob("*array_record*")
    data = bytearray(pathlib.Path(shard).read_bytes())
    for place in range(100, len(data), 50):
        data[place] ^= 1
    shard.write_bytes(data)
    with pytest.raises(Exception, match="records|record") as fault:
        for _ in range(20):
            next(stream)
    stream.close()
    assert isinstance(fault.value, InputError), fault.value
    row(
        "a shard damaged while a loader process reads it",
        1,
        "an error with its folder and track",
    )
