"""The description of one setting, and the check of its values."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Field:
    """One setting. Limits apply to each number of a tuple.

    Attributes:
      name: dotted: the group, then the field.
      default: the value for the released SiamCAR on pysot's schedule.
      meaning: a sentence; other settings are in backticks.
      unit: "px", "frames" ...; "" for none.
      above: values must be greater than this; None for no limit.
      least: values must be at least this; None for no limit.
      within: lowest and highest value; None for no limits.
      choices: the allowed values; () allows any.
      length: how many numbers a tuple has; 0 allows any number.
    """

    name: str
    default: Any
    meaning: str
    unit: str = ""
    above: float | None = None
    least: float | None = None
    within: tuple[float, float] | None = None
    choices: tuple[str | int, ...] = ()
    length: int = 0

    def range(self) -> str:
        """Describes the allowed values in a few words; "" if all are."""
        if self.choices:
            return f"one of {', '.join(map(_quoted, self.choices))}"
        if self.within:
            return "in [{:g}, {:g}]".format(*self.within)
        if self.above is not None:
            return f"above {self.above:g}"
        return f"at least {self.least:g}" if self.least is not None else ""

    def problem(self, value: Any) -> str:
        """Returns what a value should be instead; "" if it is allowed.

        Args:
          value: of the same type as the default.
        """
        numbers = value if isinstance(self.default, tuple) else (value,)
        if self.length and len(numbers) != self.length:
            return f"give {self.length} numbers"
        if all(map(self._is_allowed, numbers)):
            return ""
        return f"{'use' if self.choices else 'it must be'} {self.range()}"

    def _is_allowed(self, value):
        """Returns whether one number or string is allowed; NaN is not."""
        is_number = isinstance(value, int | float)
        if not is_number and (self.within or {self.above, self.least} != {None}):
            return False
        return (
            (not self.choices or value in self.choices)
            and (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (not self.within or self.within[0] <= value <= self.within[1])
        )


def _quoted(choice):
    """Returns a choice as written in a config file."""
    return f'"{choice}"' if isinstance(choice, str) else str(choice)
