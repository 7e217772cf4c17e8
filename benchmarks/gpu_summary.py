"""What `benchmarks.gpu` measured beside the figures to beat, as a table."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks import gpu_tracking, gpu_training


class Goal(NamedTuple):
    """A figure and what it was.

    Attributes:
      section: that measures it.
      name: of the row there.
      field: of the row.
      unit: of the number.
      before: on an H200 with JAX 0.11.2, in November 2026; None was not measured.
      mark: that is to be reached; None is to be no worse than before.
      is_cost: less is better.
      over: section and name of the row that it is divided by; None is a number itself.
    """

    section: str
    name: str
    field: str
    unit: str
    before: float | None = None
    mark: float | None = None
    is_cost: bool = False
    over: tuple[str, str] | None = None


def goals(*, is_tiny: bool) -> list[Goal]:
    """Lists the figures to beat.

    Args:
      is_tiny: of the miniature, in which nothing is to be beaten.
    """
    return [*_of_tracking(is_tiny), *_of_training(is_tiny), *_of_starts()]


def _of_tracking(is_tiny):
    """Yields frames/s."""
    sizes, unit = gpu_tracking.sizes_of(is_tiny), "frames/s"
    speed = ("frames_per_second", unit)
    yield Goal("tracking", "live", *speed, 370)
    yield Goal("tracking", f"scan of {sizes.scan}", *speed, 611)
    befores = ((3723, 888), (4562, 1092))
    for (videos, _), (device, memory) in zip(sizes.at_once, befores, strict=False):
        name, share = f"{videos} at once", "share_of_device_rate"
        yield Goal("tracking", f"{name}, on the device", *speed, device)
        yield Goal("tracking", f"{name}, in memory", *speed, memory)
        for source, before in (("in memory", memory / device), ("JPEG files", None)):
            yield Goal("tracking", f"{name}, {source}", share, "", before, 0.9)


def _of_training(is_tiny):
    """Yields pairs/s, and how they compare with the peak and with PyTorch."""
    sizes, rate = gpu_training.sizes_of(is_tiny), "pairs_per_second"
    unit = "pairs/s"
    first, second, *others = sizes.cases
    yield Goal("training", first.name, rate, unit, 976)
    yield Goal("training", first.name, "share_of_product", "", 0.43, 0.5)
    for kind, mark, before in (("eager", 1.5, 976 / 809), ("torch.compile", 1.0, None)):
        over = ("pytorch", f"{kind}, {first.name}")
        yield Goal("training", first.name, rate, "x", before, mark, over=over)
    yield Goal("training", second.name, rate, unit, 275)
    over = ("pytorch", f"eager, {second.name}")
    yield Goal("training", second.name, rate, "x", None, 1.3, over=over)
    for case in others:
        yield Goal("training", case.name, rate, unit, 917)
    for case in sizes.larger:
        yield Goal("larger", case.name, rate, unit)
        yield Goal("larger", case.name, "gigabytes_of_activations", "GB")
    for case in sizes.together:
        for part, before in (("backbone frozen", 3600), ("backbone trained", 2600)):
            yield Goal("together", f"{case.name}, {part}", rate, unit, before)


def _of_starts():
    """Yields seconds of starts and stalls."""
    cost = {"is_cost": True}
    for name, before in (("first box", None), ("first step", 80)):
        section, field = name.replace(" ", "_"), ("seconds", "s")
        yield Goal(f"{section}_cold", name, *field, before, **cost)
        yield Goal(f"{section}_warm", name, *field, None, 15, **cost)
    stall = ("longest_stall", "s")
    yield Goal("switch", "second phase", *stall, None, 2, **cost)
    name = "second phase, prepared in a thread"
    yield Goal("switch_in_thread", name, *stall, 16, 2, **cost)


def table(rows: Sequence[Mapping[str, object]], *, is_tiny: bool) -> str:
    """Writes all goals beside what was measured, and what went wrong.

    Args:
      rows: of `figures.jsonl`; of two with one name the later one counts.
      is_tiny: see `goals`.

    Returns:
      A table in Markdown, and a line for each fault.
    """
    found = {(row["section"], row.get("name")): row for row in rows}
    devices = dict.fromkeys(str(row["device"]) for row in rows if "device" in row)
    lines = [
        f"Measured on {', '.join(devices) or 'nothing'}; before: an H200, JAX 0.11.2.",
        "",
        "| figure | here | before | mark | reached |",
        "|---|---|---|---|---|",
    ]
    for goal in goals(is_tiny=is_tiny):
        here, sign = _value(goal, found), "<=" if goal.is_cost else ">="
        mark = f"{sign} {_number(goal.mark, goal.unit)}" if goal.mark else ""
        numbers = _number(here, goal.unit), _number(goal.before, goal.unit), mark
        cells = (_title(goal), *numbers, _verdict(goal, here))
        lines.append(f"| {' | '.join(cells)} |")
    known = {(goal.section, goal.name) for goal in goals(is_tiny=is_tiny)}
    for place in [place for place in found if place not in known]:
        if rate := found[place].get("pairs_per_second"):
            lines.append(
                f"| {place[0]}, {place[1]} | {_number(rate, 'pairs/s')} | | | |"
            )
    faults = ("error", "failed", "skipped")
    told = [(row, kind) for row in rows for kind in faults if kind in row]
    for row, kind in told:
        name = f" ({row['name']})" if "name" in row else ""
        lines.append(f"\n{row['section']}{name}: {kind}: {row[kind]}")
    return "\n".join(lines)


def _title(goal):
    """Names a figure."""
    if goal.over:
        return f"{goal.name}, over PyTorch {goal.over[1].partition(',')[0]}"
    what = {"share_of_product": "share of the peak (a plain matrix product)"}
    what |= {"share_of_device_rate": "share of the rate with frames on the device"}
    what |= {"longest_stall": "longest stall", "gigabytes_of_activations": "memory"}
    start = goal.section.rpartition("_")[2]
    extra = start if start in ("cold", "warm") else what.get(goal.field, "")
    name = f"tracking, {goal.name}" if goal.section == "tracking" else goal.name
    return f"{name}, {extra}" if extra else name


def _value(goal, found):
    """Returns what was measured, None where it was not."""
    value = found.get((goal.section, goal.name), {}).get(goal.field)
    if not goal.over:
        return value
    other = found.get(goal.over, {}).get(goal.field)
    return value / other if value and other else None


def _number(value, unit):
    """Writes a number of at least three figures."""
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}".strip()


def _verdict(goal, here):
    """Says whether a mark, or where there is none the figure before, is reached."""
    limit = goal.mark or goal.before
    if here is None or limit is None:
        return "" if here is not None else "not measured"
    return "yes" if (here <= limit if goal.is_cost else here >= limit) else "NO"
