"""Several processes track the sequences of an evaluation together."""

import json
import shutil

import pytest

from jaxtrack import cli, datasets, locks
from jaxtrack.cli import checks
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, run, tracked
from jaxtrack.report import build
from jaxtrack.shares import Share
from tests.refusals import refused

CHECKPOINTS = {"sharp": "sharp", "blunt": "blunt"}


def shared(root, out, number):
    how = {"checkpoints": CHECKPOINTS, "share": Share(number, 2)}
    return tracked.track_share(datasets.load("folders", root), out, **how)


def files_of(out):
    """Result files, but for times; locks of processes are left out."""
    files = {p.relative_to(out): p for p in sorted(out.rglob("*")) if p.is_file()}
    apart = ("times", manifest.PROCESSES)
    return {
        name: path.read_bytes()
        for name, path in files.items()
        if not set(apart) & set(name.parts)
    }


def at_work(out, number):
    """Another process that does a share of each tracker."""
    place = out / "results/sharp" / manifest.PROCESSES
    return locks.locked(place, "tracking", name=str(number))


def test_shares_together_are_one_run(root, videos, tmp_path, checkpoints):
    one, two = tmp_path / "one", tmp_path / "two"
    for name in CHECKPOINTS:
        run.track_checkpoint(name, videos, one, name=name)
    # "car <1>" has 7 frames, "dog" 6 and "ball" 5: the first, and the other two.
    with at_work(two, 1):
        left = shared(root, two, 0)
    assert left.missing == ("ball", "dog") and not left.skipped
    # At the second tracker's share 1 nobody was at work: it is done, too.
    assert not (two / "results/sharp/dog.txt").exists()
    assert (two / "results/blunt/dog.txt").exists()
    assert shared(root, two, 1).missing == ()
    assert files_of(one) == files_of(two)


def test_a_lost_share_is_done_by_the_others(root, tmp_path, checkpoints):
    assert shared(root, tmp_path, 1).missing == ()
    # Other weights: nothing is kept, whatever the manifest says of the last ones.
    checkpoints["blunt"] = checkpoints["blunt"]._replace(identity={"weights": "new"})
    place = tmp_path / f"results/blunt/{manifest.PROCESSES}"
    with locks.locked(place, "tracking", name="0"):
        with locks.locked(place, "tracking", name="1"):
            assert shared(root, tmp_path, 0).missing == ("ball", "car <1>", "dog")
    with pytest.raises(InputError, match="only tracking can be shared"):
        tracked.track_share(
            datasets.load("folders", root), tmp_path, checkpoints={}, share=Share(0, 2)
        )


def test_what_one_process_leaves_out_moves_no_shares(root, tmp_path, monkeypatch):
    given = []

    def track_checkpoint(place, videos, out_dir, *, skip, share, **_):
        given.append([video.name for video in videos])
        skip("dog", "img/0003.png is cut off")
        return out_dir

    monkeypatch.setattr(run, "track_checkpoint", track_checkpoint)
    found = shared(root, tmp_path, 0)
    assert given == [["ball", "car <1>", "dog"]] * 2
    assert [one.name for one in found.skipped] == ["dog"]
    assert found.missing == ("ball", "car <1>")


def test_the_last_process_reports(root, tmp_path, checkpoints, monkeypatch, capsys):
    monkeypatch.setattr(checks, "check_tracker", lambda *_, **__: None)
    monkeypatch.setattr(build, "write", lambda found, out: len(found.benchmark.videos))
    out = tmp_path / "out"
    command = ["eval", f"--sequences={root}", "--checkpoint=sharp", f"--out={out}"]
    with at_work(out, 1):
        cli.main([*command, "--num_processes=2", "--process_id=0"])
    said = capsys.readouterr().out
    assert "2 of 3 sequences are not finished, such as ball" in said
    assert "report:" not in said
    cli.main([*command, "--num_processes=2", "--process_id=1"])
    said = capsys.readouterr().out
    assert "process 1 of 2: all sequences are tracked" in said
    assert "sharp  AUC" in said and "report: 3" in said
    # A stranger is kept out.
    with locks.locked(out, "evaluation", group="the others"):
        assert "is at work" in refused(capsys, *command)


def test_what_another_process_left_out_is_no_more_to_do(root, tmp_path, checkpoints):
    """Three processes; each learns of "dog" by trying it, or by what others wrote."""
    (root / "dog/img/0003.png").write_bytes(b"")
    benchmark = datasets.load("folders", root)

    def process(number):
        how = {"checkpoints": {"sharp": "sharp"}, "share": Share(number, 3)}
        return tracked.track_share(benchmark, tmp_path, **how)

    # "car <1>" has 7 frames, "dog" 6 and "ball" 5: one each.
    record = tmp_path / "results/sharp/finished/dog"
    with at_work(tmp_path, 1):
        assert process(0) == (("dog",), ())
    assert [one.name for one in process(1).skipped] == ["dog"]
    assert "is empty" in json.loads(record.read_text())["skipped"]
    with at_work(tmp_path, 1):
        assert process(2) == ((), ())
    assert set(manifest.read(record.parents[1])["sequences"]) == {"ball", "car <1>"}
    # It is tried again, and done when the frame is back.
    shutil.copy(root / "dog/img/0002.png", root / "dog/img/0003.png")
    benchmark = datasets.load("folders", root)
    assert process(0) == ((), ())
    assert "skipped" not in record.read_text()
