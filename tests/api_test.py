"""What every public function owes its reader."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = sorted(
    p for d in ("jaxtrack", "experiments") for p in (ROOT / d).rglob("*.py")
)


def public_functions(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_functions_are_documented_and_small(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path} has no docstring"
    for node in public_functions(path):
        doc = ast.get_docstring(node) or ""
        assert doc, f"{path}:{node.lineno} {node.name} has no docstring"
        length = node.end_lineno - node.lineno + 1
        assert length <= 80, f"{path}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_positional_arguments_are_few_and_keys_come_first(path):
    for node in public_functions(path):
        names = [a.arg for a in node.args.args]
        assert len(names) <= 6, f"{path}:{node.lineno} {node.name}{tuple(names)}"
        if "key" in names:
            assert names[0] == "key", f"{path}:{node.lineno} {node.name}"
        assert "axis_name" not in names, f"{path}:{node.lineno}: make it keyword-only"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= 400, f"{path}: split it"
