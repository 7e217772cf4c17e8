"""Operations of a program, as XLA counts them."""

import jax


def count(lowered: jax.stages.Lowered) -> float:
    """Reads XLA's count of operations before it optimizes; 0 where there is none.

    Afterwards what cuDNN and cuBLAS do counts as nothing.

    Args:
      lowered: the program.
    """
    analysis = lowered.cost_analysis()
    analysis = analysis[0] if isinstance(analysis, list) else analysis
    return float((analysis or {}).get("flops", 0))
