"""The devices that jax computes on."""

import os

import jax

from jaxtrack.errors import InputError


def check() -> None:
    """Initializes jax's devices, before other errors hide that there are none.

    Raises:
      InputError: there are none of the kind that `JAX_PLATFORMS` asks for.
    """
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as fault:
        asked = os.environ.get("JAX_PLATFORMS") or jax.config.jax_platforms or ""
        reason = str(fault).strip().split("\n")[0] or f"no device of kind {asked!r}"
        raise InputError(
            f"jax finds no device to compute on: JAX_PLATFORMS={asked}: {reason}; "
            "install jaxtrack[cuda13] or jaxtrack[tpu] for a GPU or TPU, or unset "
            "JAX_PLATFORMS to compute on the CPU"
        ) from fault
