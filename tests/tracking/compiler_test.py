"""Tests for jaxtrack.tracking.compiler."""

import jax
import jax.numpy as jnp
import pytest

from jaxtrack.tracking import compiler


@pytest.fixture
def ask(monkeypatch):
    """Asks again, about other options or another backend."""

    def call(options=compiler._WITHOUT_YNN, backend="cpu"):
        monkeypatch.setattr(compiler, "_WITHOUT_YNN", options)
        monkeypatch.setattr(jax, "default_backend", lambda: backend)
        compiler.compiler_options.cache_clear()
        return compiler.compiler_options()

    yield call
    compiler.compiler_options.cache_clear()


def test_what_is_returned_compiles(ask):
    options = ask()
    double = jax.jit(lambda x: x + x, compiler_options=options)
    assert double(jnp.float32(21)) == 42


def test_an_option_that_xla_does_not_know_is_left_out(ask):
    assert ask({"xla_cpu_has_no_such_option": ""}) == {}
    assert ask({}, backend="cpu") == {}


def test_other_backends_are_told_nothing(ask):
    assert ask(backend="gpu") == {}
