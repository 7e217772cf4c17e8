"""What README and docs say exists: commands, options, settings, names, files."""

import argparse
import ast
import importlib
import pathlib
import re
import shlex

from jaxtrack import cli, config
from jaxtrack.config.fields import GROUPS

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page):
    """Yields the language and text of each fenced block of a page."""
    for fenced in re.finditer(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S):
        yield fenced.groups()


def commands():
    """Yields the page, name and options of every `jaxtrack COMMAND` in a block."""
    for page in PAGES:
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
    assert len(found) > 10


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
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
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


def exists(name):
    """Tells whether a dotted name is a module, or an attribute of one."""
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
