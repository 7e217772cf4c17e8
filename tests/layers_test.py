"""Imports point one way: the table here is the one in docs/design.md."""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# package or module -> what of jaxtrack it may import, besides itself and COMMON.
COMMON = ("errors", "locks", "shares", "signals")
ALLOWED = {
    "errors": (),
    "locks": (),
    "shares": (),
    "signals": (),
    "devices": (),
    "cli": (
        *("config", "configs", "training", "evaluation", "metrics", "tracking"),
        *("data", "datasets", "weights", "session", "integrations", "report"),
        "trackers",
        *("export", "portability", "web", "annotation"),
        "__version__",
    ),
    "__main__": ("cli",),
    "config": ("ops.preprocess",),
    "ops": (),
    "models": ("ops",),
    "online": ("ops",),
    "assign": ("ops",),
    "losses": ("ops", "assign"),
    "trackers": ("config", "ops", "assign", "losses", "models", "tracking"),
    "weights": (
        *("config", "trackers", "models.backbones", "models.folding"),
        *("ops.preprocess", "__version__"),
    ),
    "datasets": ("metrics",),
    "data": ("config", "datasets"),
    "metrics": (),
    "training": (
        *("config", "configs", "models", "trackers", "weights", "ops", "data"),
        *("assign", "losses", "devices"),
    ),
    "tracking": ("config", "datasets", "ops", "models", "online"),
    "evaluation": (
        *(
            "config",
            "ops",
            "trackers",
            "tracking",
            "training.inference",
            "weights.digests",
        ),
        *("datasets", "metrics"),
    ),
    "report": ("evaluation", "datasets", "metrics"),
    "export": ("config", "trackers", "tracking", "models.siamese", "ops"),
    "annotation": ("datasets", "metrics"),
    "session": ("session_state", "trackers", "tracking", "training.inference"),
    "portability": (
        *("config", "configs", "devices", "metrics", "models", "ops", "tracking"),
        *("trackers", "training", "weights", "evaluation.atomic", "__version__"),
    ),
    "session_state": (),
    "web": ("session", "session_state", "tracking"),
    "integrations": ("metrics", "session", "tracking.video"),
}
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
