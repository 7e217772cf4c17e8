"""Tests for jaxtrack.shares."""

import pytest

from jaxtrack import shares
from jaxtrack.errors import InputError
from jaxtrack.shares import Share


def test_shares_cost_about_the_same():
    """By hand: 9 and 7 go first, 5 joins the 7, 4 joins the 9, 2 joins the 12."""
    costs = [4, 9, 5, 7, 2]
    assert Share(0, 2).of(costs) == [0, 1]
    assert Share(1, 2).of(costs) == [2, 3, 4]
    assert Share().of(costs) == [0, 1, 2, 3, 4]
    assert sorted(i for n in range(7) for i in Share(n, 7).of(costs)) == [0, 1, 2, 3, 4]
    assert Share(6, 7).of(costs) == []


def test_a_process_knows_its_share(monkeypatch):
    for name in ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert shares.of_process(is_detected=False) == Share(0, 1)
    assert shares.of_process(is_detected=False, count=3, number=2) == Share(2, 3)
    for given in ({"count": 2, "number": 2}, {"number": 1}):
        with pytest.raises(InputError, match="from 0, each once"):
            shares.of_process(is_detected=False, **given)
    with pytest.raises(InputError, match="neither Slurm nor Open MPI"):
        shares.of_process(is_detected=True)
    monkeypatch.setenv("SLURM_PROCID", "3")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    assert shares.of_process(is_detected=True) == Share(3, 8)
    assert shares.of_process(is_detected=True, count=4) == Share(0, 4)


def test_mounts_that_may_hide_locks_are_named(tmp_path):
    line = "36 35 98:0 / {} rw,noatime shared:1 - {} remote {}\n".format
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        line("/", "ext4", "rw")
        + line("/bucket", "fuse.gcsfuse", "rw")
        + line("/nfs", "nfs4", "rw,local_lock=none")
        + line("/nfs/old", "nfs", "rw,nolock,local_lock=all")
    )
    said = {
        place: shares.warning_of_locks(place, mounts=str(mounts))
        for place in ("/runs", "/bucketful", "/nfs/runs", "/bucket/a", "/nfs/old/a")
    }
    assert not any([*said.values()][:3])
    assert said["/bucket/a"].startswith(
        "/bucket/a: other machines may not see locks in"
    )
    assert "/bucket (fuse.gcsfuse): start" in said["/bucket/a"]
    assert "/nfs/old (nfs, local_lock=all, nolock)" in said["/nfs/old/a"]
    assert shares.warning_of_locks("/runs", mounts=str(tmp_path / "none")) == ""
    (tmp_path / "link").symlink_to("/bucket")
    assert "/bucket" in shares.warning_of_locks(tmp_path / "link", mounts=str(mounts))
