"""Tests for jaxtrack.portability: sketches, files, comparisons, on hand-made values."""

import pathlib

import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.portability import compare, plan, recording, tolerances
from jaxtrack.portability.recording import Key, Recording
from tests.refusals import refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAYERS = ("backbone/patches", "neck/conv", "head/cls", "outputs['cls']")


def value(number):
    return np.random.default_rng(number).standard_normal(40).astype(np.float32)


def made(condition="highest", *, products="float32", changes=None, inputs=7):
    """A recording of four layers, three parameters, a loss and two boxes."""
    arrays = {("layers", "layer", n): value(k) for k, n in enumerate(LAYERS)}
    arrays |= {("training", "loss", "loss of step 1"): np.float32([2.0])}
    arrays |= {
        ("training", "gradient", name): scale * value(9)
        for name, scale in (("a", 1.0), ("b", 1e-2), ("bias", 1e-6))
    }
    arrays |= {
        ("tracking", "box", f"frame {t}"): np.float32([9, 9, 5 + t, 4]) for t in (1, 2)
    }
    for key, change in (changes or {}).items():
        arrays[key] = change(arrays[key])
    about = {"num_devices": 1, "device": "cpu", "jax": "1", "jaxtrack": "2"}
    about |= {"products": products, "full": False}
    about["inputs"] = {f"tiny {part}": inputs for part, _, _ in arrays}
    values = {
        Key("tiny", part, condition, kind, name): array
        for (part, kind, name), array in arrays.items()
    }
    return Recording(about, values)


def errors(compared):
    return {row.key.name: row.error for row in compared.rows}


def test_a_sketch_is_linear_and_keeps_norms():
    # One number is in one sum: its norm is its size.
    lone = np.zeros(1000)
    lone[417] = -3.0
    assert np.linalg.norm(recording.sketch(lone)) == 3.0
    a, b = np.random.default_rng(0).standard_normal((2, 50_000))
    sums = [recording.sketch(x).astype(np.float64) for x in (a, a + 1e-3 * b)]
    # Of 64 sums the norm has a relative deviation of about 1 / sqrt(2 * 64) = 0.09.
    ratio = np.linalg.norm(sums[1] - sums[0]) / (1e-3 * np.linalg.norm(b))
    assert 0.7 < ratio < 1.3
    few = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(recording.sketch(few), few.ravel())
    assert np.isnan(recording.sketch(np.full(100, np.nan))).any()


def test_errors_are_what_hand_calculation_gives():
    changes = {
        ("layers", "layer", "neck/conv"): lambda a: 1.01 * a,
        ("training", "loss", "loss of step 1"): lambda a: a + np.float32(0.5),
        ("training", "gradient", "b"): lambda a: 0.0 * a,
        # What rounding left of a zero is told in parts of 1e-3 of the largest: all of
        # a bias of 1e-6 of it is 1e-3.
        ("training", "gradient", "bias"): lambda a: 0.0 * a,
        ("tracking", "box", "frame 2"): lambda a: a + np.float32([0, 0.25, -0.5, 0]),
    }
    compared = compare.compare(made(changes=changes), made())
    found = errors(compared)
    expected = {"neck/conv": 0.01, "loss of step 1": 0.25, "b": 1.0, "bias": 1e-3}
    expected |= {"frame 2": 0.5}
    for name, error in found.items():
        assert error == pytest.approx(expected.get(name, 0.0), rel=1e-5), name
    assert not compared.left_out


def test_less_precise_products_leave_more_of_a_zero():
    # All of a bias of 1e-6 of the largest, in parts of 1e-2 of it.
    gone = {("training", "gradient", "bias"): lambda a: 0.0 * a}
    found = errors(compare.compare(made("bfloat16", changes=gone), made()))
    assert found["bias"] == pytest.approx(1e-4, rel=1e-5)


def test_the_first_layer_over_its_tolerance_is_named():
    # A fault in one layer shows in all that follow.
    changes = {("layers", "layer", name): lambda a: 1.01 * a for name in LAYERS[1:]} | {
        ("training", "loss", "loss of step 1"): lambda a: 1.01 * a
    }
    rows = compare.compare(made(changes=changes), made()).rows
    over = compare.first_over(rows)
    assert [row.key.name for row in over] == ["neck/conv", "loss of step 1"]
    # The same distance is what bfloat16 may have.
    found = made("bfloat16", changes=changes)
    assert not compare.first_over(compare.compare(found, made()).rows)


def test_the_default_may_err_as_its_products_round():
    def limit(products):
        rows = compare.compare(made("default", products=products), made()).rows
        return {row.key.kind: row.tolerance for row in rows}["layer"]

    limits = tolerances.TOLERANCES["layer"].limits
    for name in ("float32", "TF32", "bfloat16"):
        assert limit(name) == limits[name]
    assert limit("less than bfloat16") == limits["bfloat16"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_over(bad):
    key = ("layers", "layer", "head/cls")
    rows = compare.compare(made(changes={key: lambda a: bad * a}), made()).rows
    assert [row.key.name for row in compare.first_over(rows)] == ["head/cls"]
    table = compare.summary(rows)
    assert any("!" in line[4] and line[6] == "head/cls" for line in table)


def test_the_page_has_the_table_of_tolerances():
    page = (ROOT / "docs" / "portability.md").read_text()
    for kind, row in tolerances.TOLERANCES.items():
        limits = " | ".join(f"{limit:g}" for limit in row.limits.values())
        assert f"| {kind} | {row.unit} | {limits} | {row.reason} |" in page


def test_what_differs_in_more_than_arithmetic_is_left_out():
    found, reference = made(), made()
    reference.about["inputs"]["tiny layers"] = 8
    del reference.about["inputs"]["tiny training"]
    compared = compare.compare(found, reference)
    assert {row.key.part for row in compared.rows} == {"tracking"}
    assert compared.left_out == {
        "tiny layers": "recorded with other weights or inputs",
        "tiny training": "not in the reference",
    }
    with pytest.raises(InputError, match="^nothing can be compared: tiny layers: rec"):
        compare.compare(made(inputs=1), made(inputs=2))
    with pytest.raises(InputError, match="lacks some of its arrays: record both"):
        compare.compare(made(), made("bfloat16"))


def test_files_hold_what_was_written(tmp_path):
    path = tmp_path / "a.npz"
    recording.write(path, made())
    found = recording.read(path)
    assert list(found.values) == list(made().values)
    assert compare.compare(found, made()).rows[-1].error == 0.0


def test_the_command_tells_and_draws(tmp_path, capsys):
    changes = {("layers", "layer", "head/cls"): lambda a: 1.01 * a}
    for name, recorded in (("a.npz", made(changes=changes)), ("b.npz", made())):
        kept = {k: v for k, v in recorded.values.items() if k.part == "layers"}
        recording.write(tmp_path / name, recorded._replace(values=kept))
    paths = [str(tmp_path / name) for name in ("a.npz", "b.npz")]
    with pytest.raises(SystemExit) as end:
        cli.main(["portability", "compare", *paths, f"--out={tmp_path / 'plots'}"])
    told = capsys.readouterr()
    assert end.value.code == 1
    assert told.err == (
        "tiny, highest: layers: the first layer over its tolerance of 5.0e-05 is "
        "head/cls: 1.0e-02\n"
    )
    files = {path.name for path in (tmp_path / "plots").iterdir()}
    assert files == {"compared.csv", "layers.png"}
    rows = (tmp_path / "plots" / "compared.csv").read_text().splitlines()
    assert len(rows) == 5 and rows[3] == (
        "tiny,layers,highest,layer,head/cls,1.000e-02,5e-05"
    )
    cli.main(["portability", "compare", paths[1], paths[1]])
    assert "1 x cpu, jax 1, jaxtrack 2" in capsys.readouterr().out


def test_mistakes_are_told_in_a_line(tmp_path, capsys):
    (tmp_path / "bad.npz").write_bytes(b"PK, but no more")
    (tmp_path / "empty.npz").touch()
    damaged = bytearray(recording.REFERENCE.read_bytes())
    damaged[5000:5100] = bytes(100)
    (tmp_path / "damaged.npz").write_bytes(damaged)
    for words, said in (
        (("compare", "none.npz"), "`jaxtrack portability run --out=none.npz` makes it"),
        (("compare", str(tmp_path / "bad.npz")), "not a recording"),
        (("compare", str(tmp_path / "empty.npz")), "not a recording"),
        (("compare", str(tmp_path / "damaged.npz")), "not a recording"),
        (("run", "--out=a.csv"), "the name of the file must end in .npz"),
        (("run", "--out=a.npz", "--parts=loses"), "no 'loses': did you mean losses?"),
        (
            ("run", "--out=a.npz", "--conditions=bf16"),
            "no 'bf16': did you mean bfloat16?",
        ),
        (("run", "--out=a.npz", "--trackers=siamla"), "no config 'siamla'"),
    ):
        assert said in refused(capsys, "portability", *words)


def test_backbones_are_shared_and_drawn_weights_track_in_float32_alone():
    backbones = {"lite": "", "a": "r18", "b": "r18"}
    parts = ("backbone", "tracking")
    found = plan.items(backbones, parts=parts, conditions=("highest", "bfloat16"))
    assert [tuple(item) for item in found] == [
        ("lite", "tracking", "highest"),
        ("lite", "tracking", "bfloat16"),
        ("r18", "backbone", "highest"),
        ("r18", "backbone", "bfloat16"),
        ("a", "tracking", "highest"),
        ("b", "tracking", "highest"),
    ]
