"""What `make docs` adds to MkDocs: files outside of docs/, notebooks, the reference.

A page may link to a file of the repository (`../jaxtrack/...`), as GitHub resolves it.
In the site such a file lies under `source/`, and the link is rewritten to it.
"""

import json
import pathlib
import posixpath
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = pathlib.Path(__file__).resolve().parents[2]
_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
_SOURCE = "source/"


def parts() -> list[str]:
    """Packages, and modules beside them: each is a page of the reference."""
    inside = [path.with_suffix("") for path in (ROOT / "jaxtrack").glob("*.py")]
    inside += [path.parent for path in (ROOT / "jaxtrack").glob("*/__init__.py")]
    return sorted(path.name for path in inside if not path.name.startswith("_"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds a page a package to the navigation, behind the reference's first page."""
    pages = _level_of("reference/index.md", config.nav)
    pages += [{name: f"reference/{name}.md"} for name in parts()]
    return config


def _level_of(page: str, nav: list) -> list | None:
    """The part of the navigation that holds a page."""
    if page in nav:
        return nav
    inner = (value for item in nav if isinstance(item, dict) for value in item.values())
    found = (_level_of(page, value) for value in inner if isinstance(value, list))
    return next((level for level in found if level is not None), None)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the reference, what notebooks hold, and what pages link to."""
    for file in [f for f in files if f.src_uri.endswith(".ipynb")]:
        files.remove(file)
        for made in _converted(file, config):
            files.append(made)
    for name in parts():
        uri, text = f"reference/{name}.md", f"::: jaxtrack.{name}\n"
        files.append(File.generated(config, uri, content=text))
    pages = [f for f in files if f.is_documentation_page()]
    outside = re.findall(rf"{_SOURCE}[\w./]+", json.dumps(config.nav))
    for uri in outside:
        pages.append(_add(uri, files, config))
    while pages:
        page = pages.pop()
        for link in _LINK.findall(page.content_string):
            uri = _target(link, page.src_uri)
            if uri.startswith(_SOURCE) and uri not in files.src_uris:
                added = _add(uri, files, config)
                pages += [added] if added.is_documentation_page() else []
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Points links to where the files lie in the site."""

    def moved(found: re.Match) -> str:
        own = posixpath.dirname(page.file.src_uri)
        return posixpath.relpath(_target(found[0], page.file.src_uri), own or ".")

    return _LINK.sub(moved, markdown)


def _target(link: str, uri: str) -> str:
    """Where the file that a page links to lies in the site's sources."""
    is_outside = uri.startswith(_SOURCE)
    place = uri.removeprefix(_SOURCE) if is_outside else f"docs/{uri}"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place), link))
    path = path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path
    inside = path.startswith("docs/")
    return path.removeprefix("docs/") if inside else _SOURCE + path


def _add(uri: str, files: Files, config: MkDocsConfig) -> File:
    """Adds a file of the repository to the site."""
    path = ROOT / uri.removeprefix(_SOURCE)
    made = File.generated(config, uri, abs_src_path=str(path))
    files.append(made)
    return made


def _converted(file: File, config: MkDocsConfig) -> list[File]:
    """A notebook as a page and its pictures."""
    from nbconvert import MarkdownExporter

    folder = posixpath.dirname(file.src_uri)
    name = pathlib.PurePosixPath(file.src_uri).stem
    text, held = MarkdownExporter().from_filename(file.abs_src_path)
    made = []
    for old, content in held["outputs"].items():
        new = f"{name}_{old}"
        text = text.replace(f"({old})", f"({new})")
        made.append(File.generated(config, f"{folder}/{new}", content=content))
    made.append(File.generated(config, f"{folder}/{name}.md", content=text))
    return made
