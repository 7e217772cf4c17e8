"""Figures of which one that fails does not cost the others."""

from collections.abc import Callable


def attempt(name: str, measure: Callable[[], dict]) -> dict:
    """Measures something.

    Args:
      name: of it.
      measure: returns its figures.

    Returns:
      "name", and the figures, or "failed": the first line of what went wrong.
    """
    try:
        return {"name": name} | measure()
    except Exception as fault:  # Whatever it is: device time is precious.
        lines = str(fault).strip().splitlines() or ["no message"]
        return {"name": name, "failed": f"{type(fault).__name__}: {lines[0][:200]}"}


def lacks_memory(row: dict) -> bool:
    """Whether a device's memory was too small for the figures of a row."""
    fault = str(row.get("failed", ""))
    return "RESOURCE_EXHAUSTED" in fault or "out of memory" in fault.lower()
