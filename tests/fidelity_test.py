"""The table of the papers' lines, docs/fidelity.toml, holds true of the code."""

import ast
import functools
import math
import pathlib
import re

import pytest

from experiments import fidelity
from jaxtrack import config as config_lib
from jaxtrack import configs

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECTIONS = fidelity.read()
ROWS = [(section.name, row) for section in SECTIONS for row in section.rows]

# How many equations, algorithms, tables and choices each paper has.
NUMBERS = {
    "SiamLA": {"Eq": 13, "Algorithm": 1, "Table": 6, "S": 26},
    "SiamDLA": {"Eq": 4, "Algorithm": 1, "Table": 3, "D": 21},
    "CRACT": {"Eq": 10, "Algorithm": 1, "Table": 9, "C": 21},
}
ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6}


def plain(value):
    """Turns tuples into lists, as the table has them."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(v) for v in value] if isinstance(value, tuple | list) else value


def numbered(section, kind):
    """Lists the numbers of a kind that a section's rows are about."""
    found = []
    for row in section.rows:
        for first, last in re.findall(
            rf"\b{kind}s?\.? (\d+|[IVX]+)(?: (?:to|and) (\d+))?", row.item
        ):
            low = int(ROMAN.get(first, first))
            found += range(low, int(last or low) + 1)
    return found


@functools.cache
def settings_of(name):
    """Reads a config file once: setting -> value."""
    return config_lib.flat(configs.load(name))


@functools.cache
def functions_of(path):
    """Lists the names of a test file's functions."""
    found = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef)}


def test_the_page_is_the_table():
    page = (ROOT / "docs" / "fidelity.md").read_text()
    made = fidelity.markdown(SECTIONS)
    assert page == made, "python -m experiments.fidelity > docs/fidelity.md"


def test_every_number_of_every_paper_has_a_row():
    assert {section.name for section in SECTIONS} == set(NUMBERS)
    for section in SECTIONS:
        *kinds, tag = NUMBERS[section.name]
        for kind in kinds:
            expected = range(1, NUMBERS[section.name][kind] + 1)
            assert set(numbered(section, kind)) == set(expected), (section.name, kind)
        tags = {found for row in section.rows for found in row.tags}
        count = NUMBERS[section.name][tag]
        assert tags == {f"{tag}{i}" for i in range(1, count + 1)}, section.name


def test_every_row_is_whole():
    for paper, row in ROWS:
        assert row.what and row.code and row.tests and row.differs, (paper, row.item)


def test_names_exist():
    for paper, row in ROWS:
        for name in (*row.code, *row.constants):
            try:
                fidelity.resolve(name)
            except (ImportError, AttributeError) as fault:
                pytest.fail(f"{paper}, {row.item}: {fault}")


def test_constants_have_their_values():
    for paper, row in ROWS:
        for name, value in row.constants.items():
            found, where = plain(fidelity.resolve(name)), (paper, row.item, name)
            if isinstance(value, float):
                assert math.isclose(found, value, rel_tol=1e-4), where
            else:
                assert found == value, where


def test_settings_have_their_values():
    count = 0
    for paper, row in ROWS:
        for name, values in row.settings.items():
            found = settings_of(name)
            for setting, value in values.items():
                where = f"{paper}, {row.item}: {name}: {setting}"
                assert setting in found, where
                assert plain(found[setting]) == value, where
                count += 1
    assert count > 100


def test_tests_exist():
    for paper, row in ROWS:
        for test in row.tests:
            file, _, function = test.partition("::")
            path = ROOT / "tests" / f"{file}.py"
            assert path.is_file(), f"{paper}, {row.item}: {test}"
            known = functions_of(path)
            assert not function or function in known, f"{paper}, {row.item}: {test}"


def test_a_row_of_unknown_parts_is_refused(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[[section]]\nname = "X"\ntitle = ""\npage = ""\nconfig = "siamla_r50"\n'
        '[[section.row]]\nitem = "Eq. 1"\nvalue = {}\n'
    )
    with pytest.raises(ValueError, match=r"Eq. 1: unknown \['value'\]"):
        fidelity.read(path)
