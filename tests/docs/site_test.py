"""The site: its navigation, its reference, and nothing that needs a network."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from tests import api_test

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SETTINGS = yaml.safe_load((ROOT / "mkdocs.yml").read_text())


def leaves(nav):
    """Yields the pages of a navigation."""
    for item in nav.values() if isinstance(nav, dict) else nav:
        if isinstance(item, str):
            yield item
        else:
            yield from leaves(item)


def test_every_page_is_in_the_navigation():
    pages = list(leaves(SETTINGS["nav"]))
    assert len(pages) == len(set(pages))
    inside = {page for page in pages if not page.startswith("source/")}
    there = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    there |= {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.ipynb")}
    assert {p.replace(".ipynb", ".md") for p in there} == inside
    for page in set(pages) - inside:
        assert (ROOT / page.removeprefix("source/")).exists()


def hooks():
    """The module that MkDocs calls."""
    path = DOCS / "assets" / "hooks.py"
    spec = importlib.util.spec_from_file_location("hooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_module_is_in_the_reference():
    """A page shows all public names of a package and of its modules."""
    pytest.importorskip("mkdocs", reason="pip install '.[docs]'")
    (plugin,) = (p for p in SETTINGS["plugins"] if isinstance(p, dict))
    options = plugin["mkdocstrings"]["handlers"]["python"]["options"]
    assert options["show_submodules"] and options["filters"][0] == "!^_[^_]"
    files = [p.relative_to(ROOT).parts for p in (ROOT / "jaxtrack").rglob("*.py")]
    there = {file[1].removesuffix(".py") for file in files}
    # rglob does not follow the link to the configs.
    assert there - {"__init__", "__main__"} | {"configs"} == set(hooks().parts())


def test_the_workflow_runs_what_contributors_run():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    commands = [step["run"] for step in steps if "run" in step]
    for wanted in (".ci/run", "make docs", "python -m build"):
        assert wanted in commands
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100
    made = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make ([\w-]+)", text):
        assert re.search(rf"^{target}:", made, re.M)
    pages = list((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    forms = [yaml.safe_load(page.read_text()) for page in pages]
    assert sum({"name", "description", "body"} <= form.keys() for form in forms) >= 3


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_holds_every_name(tmp_path, monkeypatch):
    pytest.importorskip("mkdocstrings", reason="pip install '.[docs]'")
    # The theme's notice of its successor is no warning about the site.
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, f"--site-dir={tmp_path}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    ids, fetched = set(), []
    for page in tmp_path.rglob("*.html"):
        text = page.read_text()
        ids |= set(re.findall(r'id="(jaxtrack[\w.]*)"', text))
        tags = re.findall(r"<(?:script|img|link|iframe)\b[^>]*>", text)
        fetched += [tag for tag in tags if re.search(r'(src|href)="(https?:)?//', tag)]
    assert not [tag for tag in fetched if 'rel="canonical"' not in tag]
    functions = {
        name
        for module in api_test.modules()
        for name, function in api_test.members(module)
        # A field whose default is a function is no method.
        if name.startswith("jaxtrack.") and name.endswith(f".{function.__name__}")
        if not name.endswith(("__init__", "__call__"))
    }
    assert len(functions) > 500
    assert not {name for name in functions if "._" not in name} - ids
