"""Imports point one way: docs/design.md has a table of what each package may import."""

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What everything may import.
COMMON = ("errors", "locks", "shares", "signals", "__version__")
TABLE = {
    name: re.findall(r"`([\w.]+)`", cell)
    for name, cell in re.findall(
        r"^\| `(\w+)` \| .* \| (.*) \|$",
        (ROOT / "docs/design.md").read_text(),
        re.MULTILINE,
    )
}
ALLOWED = {**dict.fromkeys(COMMON, ()), **TABLE, "__main__": ("cli",)}
SOURCES = sorted((ROOT / "jaxtrack").rglob("*.py"))


def imported(path):
    """Yields the dotted names that a file imports, at any depth of nesting."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name, part):
    return name == part or name.startswith(part + ".")


def test_packages_import_only_those_above_them_in_the_table():
    above = {"configs"}  # Settings alone.
    for name, parts in TABLE.items():
        assert {part.partition(".")[0] for part in parts} <= above, name
        above.add(name)


def test_imports_point_one_way():
    for path in SOURCES:
        parts = path.relative_to(ROOT / "jaxtrack").with_suffix("").parts
        own = parts[0]
        if parts == ("__init__",):
            continue
        assert own in ALLOWED, f"{own} has no row in the table"
        allowed = (own, *COMMON, *ALLOWED[own])
        for name in imported(path):
            inner = name.removeprefix("jaxtrack").lstrip(".")
            assert not within(name, "jaxtrack") or any(
                within(inner, part) for part in allowed
            ), f"{path} imports {name}"


def test_libraries_stay_where_they_belong():
    for path in SOURCES:
        top = path.relative_to(ROOT / "jaxtrack").parts[0]
        for name in imported(path):
            assert not within(name, "torch"), f"{path} imports torch"
            assert not within(name, "tensorflow"), f"{path} imports tensorflow"
            assert not within(name, "experiments"), f"{path}: experiments are outside"
            if top in ("data", "datasets"):
                assert not within(name, "jax"), f"{path}: data are numpy's side"
            if top == "metrics":
                own = (*sys.stdlib_module_names, "numpy", "jaxtrack")
                assert name.split(".")[0] in own, f"{path}: metrics import numpy alone"
            if top in ("ops", "assign", "losses"):
                assert not within(name, "flax"), f"{path}: pure functions, no params"


# Who turns settings into functions; all others take numbers.
BUILDERS = (
    *("config", "configs", "trackers", "cli", "assign.__init__", "data.mixture"),
    *("data.pipeline", "models.siamese", "tracking.siamese", "tracking.two_stage"),
    *("training.loop", "training.checkpoint", "training.initial", "export.onnx"),
    *("training.schedule", "training.optimizer", "training.division"),
    *("weights.pretrained", "weights.foreign", "weights.bundle", "evaluation.loading"),
    *("training.pair_sheet", "training.overview", "training.report"),
    *("training.compile_times", "training.distillation", "portability.compute"),
)


def test_settings_stop_at_the_builders():
    for path in SOURCES:
        name = ".".join(path.relative_to(ROOT / "jaxtrack").with_suffix("").parts)
        if not any(within(name, builder) for builder in BUILDERS):
            names = list(imported(path))
            assert not any(within(n, "ml_collections") for n in names), f"{path}"
