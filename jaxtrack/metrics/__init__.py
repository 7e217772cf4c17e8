"""How good boxes are: one-pass and VOT scores; imports numpy alone."""

from jaxtrack.metrics import ope, vot

__all__ = ["ope", "vot"]
