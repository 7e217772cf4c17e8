"""XLA's options for networks that track one frame at a time."""

import functools
from types import MappingProxyType

import jax
import jax.numpy as jnp

# XLA's CPU compiler hands fusions with matrix products to the library YNN, which loses
# time between the small layers of such networks: without it a step of lite0's network
# takes 0.88 to 0.91 times as long (jaxlib 0.10.2, two cores), with 0.11 and 0.12 0.97
# to 1.00 times. The option is experimental.
_WITHOUT_YNN = MappingProxyType({"xla_cpu_experimental_ynn_fusion_type": ""})


@functools.cache
def compiler_options() -> dict[str, str]:
    """Returns `compiler_options` for `jax.jit`; none if XLA does not know them.

    A tiny function is compiled to find out, once per process and only on CPUs.
    """
    if jax.default_backend() != "cpu":
        return {}
    options = dict(_WITHOUT_YNN)
    number = jax.ShapeDtypeStruct((), jnp.float32)
    try:
        jax.jit(jnp.negative, compiler_options=options).lower(number).compile()
    except jax.errors.JaxRuntimeError:  # No such option.
        return {}
    return options
