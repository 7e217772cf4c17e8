"""Guards names and shapes of all variables: checkpoints depend on them."""

import collections

from tests.guards import adapter, store
from tests.guards.light import Light

FILE = store.FOLDER / "parameters.txt"
# Parts that are chosen, on a light backbone; only what differs from the default's.
CHOICES = (
    ("siamcar_lite0", {"correlation": "depthwise"}),
    ("siamcar_lite0", {"correlation": "both"}),
    ("siamla_lite0", {"localization": "aggregation"}),
    ("siamla_lite0", {"localization": "non_local"}),
    ("siamla_lite0", {"localization": "tower"}),
    ("siamla_lite0", {"localization": "centerness"}),
    ("siamfcpp_lite0", {"correlation": "both"}),
    ("siamrpnpp_lite0", {"correlation": "both"}),
    ("cract_lite0", {"refinement": "parallel"}),
    ("cract_lite0", {"pooling": "single"}),
)


def compute():
    """Lists all modules with their variables, and the networks that have them alike."""
    owners = collections.defaultdict(list)
    for name in adapter.model_names():
        _add(owners, name, adapter.shapes(adapter.build(name)))
    for name, choice in CHOICES:
        model = adapter.with_backbone(adapter.build(name, **choice), Light())
        ((what, chosen),) = choice.items()
        found = adapter.shapes(model)
        found = {path: shape for path, shape in found.items() if "backbone" not in path}
        _add(owners, f"{name}:{what}={chosen}", found)
    text = []
    for lines, names in owners.items():
        text.append("\n".join([f"[{', '.join(names)}]", *lines]))
    return "\n\n".join(text) + "\n"


def _add(owners, name, found):
    """Adds a network's modules, the children of the collections' roots."""
    modules = collections.defaultdict(list)
    for path, shape in sorted(found.items()):
        sizes = " x ".join(map(str, shape)) or "scalar"
        modules[path[1]].append(f"{'/'.join(path)}: {sizes}")
    for lines in modules.values():
        owners[tuple(lines)].append(name)


def make():
    FILE.write_text(compute())


def test_every_networks_variables_are_where_they_were():
    found, expected = compute().splitlines(), FILE.read_text().splitlines()
    differing = sorted(set(found) ^ set(expected))
    assert found == expected, differing[:10]
