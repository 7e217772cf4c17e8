"""Tests for jaxtrack.portability.environment."""

import json
import types

import jax
import jax.numpy as jnp
import pytest

from jaxtrack import cli
from jaxtrack.portability import environment


def test_precisions_are_told_apart_by_their_rounding():
    # A float32 rounds by 2^-24 at most, TF32 by 2^-11, bfloat16 by 2^-8.
    rounding = {"float32": 2.0**-24, "TF32": 2.0**-11, "bfloat16": 2.0**-8}
    for name, error in rounding.items():
        assert environment.precision_of(error) == name
    assert environment.precision_of(0.1) == "less than bfloat16"


def test_a_product_is_as_exact_as_its_inputs(monkeypatch):
    assert environment.precision_of(environment.product_error(None)) == "float32"

    def in_bfloat16(a, b, precision):
        del precision
        a, b = (x.astype(jnp.bfloat16).astype(jnp.float32) for x in (a, b))
        return a @ b

    monkeypatch.setattr(environment.jnp, "matmul", in_bfloat16)
    assert environment.precision_of(environment.product_error(None)) == "bfloat16"


def test_a_missing_device_is_the_finding(monkeypatch):
    def refuse():
        raise RuntimeError("Unknown backend cuda\nand more lines")

    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    monkeypatch.setattr(jax, "devices", refuse)
    found = environment.find_devices()
    assert found.value == "none"
    assert "JAX_PLATFORMS=cuda: Unknown backend cuda; install" in found.problem


def test_a_gpu_that_is_not_used_is_told(monkeypatch, tmp_path):
    driver = tmp_path / "version"
    assert environment._unused_device(driver) == ""
    driver.write_text("NVRM version: NVIDIA UNIX  535.104  Sat\nGCC version: 12\n")
    find = {"jax_cuda13_plugin": None}
    monkeypatch.setattr(environment.importlib.util, "find_spec", find.get)
    assert "pip install 'jaxtrack[cuda13]'" in environment._unused_device(driver)
    find["jax_cuda13_plugin"] = "found"
    told = environment._unused_device(driver)
    assert "535.104" in told and "JAX_PLATFORMS=cuda jaxtrack doctor" in told


def test_little_room_is_a_problem(monkeypatch, tmp_path):
    usage = types.SimpleNamespace(total=64 * 2**20, free=2**20)
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: usage)
    findings = {f.name: f for f in environment.examine(cache=str(tmp_path / "a" / "b"))}
    if "shared memory" in findings and findings["shared memory"].value != "not found":
        assert "--shm-size" in findings["shared memory"].problem
    assert "little room" in findings["this folder"].problem
    assert not findings["compilations"].problem


def test_problems_end_in_one_line_and_status_2(monkeypatch, capsys):
    monkeypatch.setattr(
        environment,
        "examine",
        lambda **_: [environment.Finding("devices", "none", "fix it")],
    )
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor", "--json"])
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert err == "error: 1 to fix: devices; see above\n"
    assert json.loads(out)[1] == {
        "name": "devices",
        "value": "none",
        "problem": "fix it",
    }
