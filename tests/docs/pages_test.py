"""What README and docs say exists: commands, options, settings, names, files."""

import argparse
import ast
import importlib
import pathlib
import re
import shlex

from jaxtrack import cli, config, trackers
from jaxtrack import configs as config_names
from jaxtrack.config.fields import GROUPS
from jaxtrack.metrics import protocols

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
CHOICES = {
    "--config": config_names.names(),
    "--model": config_names.names(),
    "--preset": trackers.PRESETS,
    "--protocol": protocols.PROTOCOLS,
}


def blocks(page):
    """Yields the language and text of each fenced block of a page."""
    for fenced in re.finditer(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S):
        yield fenced.groups()


def inline(page):
    """The text of a page between its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)


def commands():
    """Yields the page, name and options of every `jaxtrack COMMAND` of the pages."""
    for page in PAGES:
        for command in re.findall(r"`jaxtrack ([a-z]+ [^`]*--[^`]*)`", inline(page)):
            name, *options = shlex.split(command)
            yield page.name, name, options
        for language, text in blocks(page):
            if language in ("python", "json"):
                continue
            for line in text.replace("\\\n", " ").splitlines():
                words = re.split(r"jaxtrack (?=[a-z]+(?: |$))", line, maxsplit=1)
                if len(words) == 2 and words[0] in ("", "python -m "):
                    name, *options = shlex.split(words[1], comments=True)
                    yield page.name, name, options


def options_of(parser):
    """Yields the options of a command and of its actions."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options_of(inner)


def test_commands_and_their_options_exist():
    known = {}
    for name in cli.COMMANDS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"jaxtrack.cli.{name}").add_arguments(parser)
        known[name] = set(options_of(parser))
    fields = {field.name for field in config.FIELDS}
    found = list(commands())
    for page, name, options in found:
        assert name in known, f"{page}: jaxtrack {name}"
        for word in options:
            option = word.partition("=")[0]
            if option.startswith("--config."):
                assert option.removeprefix("--config.") in fields, f"{page}: {word}"
            elif option.startswith("--"):
                assert option in known[name], f"{page}: jaxtrack {name} {word}"
            value = word.partition("=")[2]
            if re.fullmatch(r"[a-z][\w/]*", value):
                assert value in CHOICES.get(option, value), f"{page}: {word}"
    assert len(found) > 100


def test_names_of_the_package_exist():
    count = 0
    for page in PAGES:
        for language, text in blocks(page):
            if language != "python":
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and node.module:
                    if node.module.split(".")[0] != "jaxtrack":
                        continue
                    for alias in node.names:
                        name = f"{node.module}.{alias.name}"
                        assert exists(name), f"{page.name}: {name}"
                        count += 1
                elif isinstance(node, ast.Attribute):
                    name = ast.unparse(node)
                    if re.fullmatch(r"jaxtrack(\.\w+)+", name):
                        assert exists(name), f"{page.name}: {name}"
                        count += 1
    assert count > 10


def test_names_in_the_text_exist():
    # `package.module` or `package.module.name`, as the pages write them.
    packages = "|".join(
        path.name for path in (ROOT / "jaxtrack").iterdir() if path.is_dir()
    )
    count = 0
    for page in PAGES:
        if page.name == "settings.md":  # Its names are settings.
            continue
        text = inline(page)
        fields = {field.name for field in config.FIELDS} | set(GROUPS)
        for name in re.findall(rf"`(?:jaxtrack\.)?((?:{packages})(?:\.\w+)+)`", text):
            is_file = name.split(".")[-1] in ("json", "html")
            if name in fields or is_file or name == "datasets.X":
                continue
            assert exists(f"jaxtrack.{name}"), f"{page.name}: {name}"
            count += 1
    assert count > 20


def test_linked_files_exist():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_files_of_the_repository_exist():
    tops = "jaxtrack|configs|tests|experiments|benchmarks"
    count = 0
    for page in PAGES:
        for path in re.findall(rf"`((?:{tops})/[\w./]+(?:\.\w+|/))`", inline(page)):
            assert (ROOT / path).exists(), f"{page.name}: {path}"
            count += 1
    assert count > 30


def test_the_map_names_settings_that_exist():
    fields = {field.name for field in config.FIELDS}
    text = (ROOT / "docs" / "coming_from.md").read_text()
    groups = "|".join(GROUPS)
    named = re.findall(rf"`((?:{groups})\.[a-z_]+)`", text)
    assert len(named) > 20 and set(named) <= fields


def test_the_first_page_is_short():
    text = (ROOT / "README.md").read_text()
    lines = text.splitlines()
    assert len(lines) <= 120
    screen = "\n".join(lines[:25])
    for word in ("tracking.webp", "pip install", "jaxtrack track", "| `lite` |"):
        assert word in screen


def exists(name):
    """Returns whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False
