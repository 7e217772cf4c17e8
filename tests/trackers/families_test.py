"""Every family on every backbone: what fits is built, what does not says why."""

import ast
import importlib
import pathlib

import jax
import jax.numpy as jnp
import pytest

from jaxtrack import config as config_lib
from jaxtrack import trackers
from jaxtrack.errors import InputError
from jaxtrack.models.backbones import BACKBONES, FROZEN, param_group
from jaxtrack.trackers.family import DESIGNS
from jaxtrack.tracking import Frame, TrackerState
from tests.networks import FITTING, levels_of, shapes_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Who turns settings into a tracker.
ASKING = {
    *("training/loop.py", "weights/pretrained.py", "evaluation/loading.py"),
    *("session.py", "cli/weights.py", "training/inference.py", "weights/foreign.py"),
    *("training/pair_sheet.py", "training/distillation.py"),  # A teacher is a tracker.
}


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_backbone_is_what_its_line_says(backbone):
    line = BACKBONES[backbone]
    for side in line.sides:
        built = line.build(axis_name=None, dtype=jnp.float32)
        levels, variables = levels_of(built, side)
        cells = (side - line.margin) // 8
        sides = [-(-cells * 8 // stride) for stride in line.strides]
        assert [level.shape[1:3] for level in levels] == [(n, n) for n in sides]
        # The cells of odd crops lie evenly; GoogLeNet sees less of the end.
        seen = 2 * line.offset + 8 * (cells - 1)
        assert side - 8 < seen <= side
    parts = {path for path in variables["params"]}
    assert set(line.frozen) <= parts
    assert {param_group(("backbone", part)) for part in line.frozen} <= {"frozen"}
    assert param_group(("neck", "conv1")) == "head"
    assert not (parts - set(line.frozen)) & FROZEN


def refusal(family, design, backbone, line):
    """What is said of a backbone and a design that do not fit; "" where they do."""
    if family == "nanotrack":
        fits = design == "released" and line.strides[-1] == 16
        return "" if fits else f"{family} .{backbone}, {design}. is not built"
    if design == "released" and set(line.strides) != {8}:
        return f"{backbone} have strides {', '.join(map(str, line.strides))}"
    return ""


# SiamBAN's parts are SiamRPN++'s and SiamCAR's.
@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "siamban" else name
        for name in trackers.FAMILIES
    ],
)
@pytest.mark.parametrize("design", DESIGNS)
def test_what_fits_is_built(family, design):
    for backbone, line in BACKBONES.items():
        asked = {"backbone": backbone, "design": design}
        if message := refusal(family, design, backbone, line):
            with pytest.raises(InputError, match=message):
                trackers.build(family, **asked)
            continue
        network = trackers.build(family, **asked)
        outputs, _ = shapes_of(network)
        geometry = network.geometry
        assert outputs["cls"].shape[1:3] == (geometry.response_size,) * 2, backbone
        assert (geometry.template_size, geometry.search_size) == line.sides


def test_names_that_can_be_chosen_are_those_of_the_tables():
    fields = {field.name: field for field in config_lib.FIELDS}
    assert fields["model.backbone"].choices == tuple(BACKBONES)
    assert fields["model.design"].choices == DESIGNS
    for name in trackers.FAMILIES:
        found = importlib.import_module(trackers.FAMILIES[name]).FAMILY
        assert {n for n, of in trackers.PRESETS.items() if of == name} == {
            *found.presets
        }


def test_unknown_names_are_refused():
    for settings, message in (
        ({"name": "siamx"}, "model.name: 'siamx' is not one of siamcar, siamla"),
        ({"backbone": "vit"}, "model.backbone: 'vit' is not one of resnet18"),
        ({"design": "heavy"}, "model.design: 'heavy' is not one of released, light"),
        ({"widht": 3}, "siamcar: .*widht"),
    ):
        with pytest.raises(InputError, match=message):
            trackers.build(settings.pop("name", "siamcar"), **settings)


# Family, its design, and what is said of a part that it does not have.
LIGHT = {"backbone": "efficientnet_lite0", "design": "light"}
REFUSED = (
    ("siamcar", {}, "correlation", "pixelwise", "depthwise"),
    ("siamcar", {}, "localization", "lava", "centerness"),
    ("siamcar", {}, "refinement", "cascade", "none"),
    ("siamcar", LIGHT, "correlation", "naive", "pixelwise, depthwise, both"),
    ("siamcar", LIGHT, "localization", "lafa", "centerness"),
    ("siamla", {}, "localization", "lava", "lafa, aggregation, non_local, tower, cent"),
    ("siamrpnpp", {}, "correlation", "both", "depthwise"),
    ("siamrpnpp", {}, "localization", "lafa", "none"),
    ("siamrpnpp", {}, "pooling", "single", "none"),
    ("siamrpnpp", LIGHT, "localization", "centerness", "none"),
    ("siamfcpp", {}, "correlation", "pixelwise", "depthwise"),
    ("siamfcpp", LIGHT, "localization", "branch", "centerness"),
    ("cract", {}, "refinement", "both", "cascade, parallel"),
    ("cract", {}, "correlation", "both", "depthwise"),
    ("cract", LIGHT, "pooling", "mean", "pyramid, single"),
    ("cract", LIGHT, "localization", "lafa", "none"),
    ("siamban", {}, "localization", "centerness", "none"),
    ("siamban", LIGHT, "correlation", "naive", "pixelwise, depthwise, both"),
    ("nanotrack", FITTING["nanotrack"], "correlation", "depthwise", "pixelwise"),
)


def test_parts_that_a_network_does_not_have_are_refused():
    for family, design, part, chosen, names in REFUSED:
        with pytest.raises(InputError) as raised:
            trackers.build(family, **design, **{part: chosen})
        told = str(raised.value)
        assert told.startswith(f"{part}: {family} ("), told
        assert f") has {names}" in told and told.endswith(f", not {chosen!r}"), told


def test_preprocessing_is_the_backbones_unless_it_is_set():
    config = trackers.configure("siamcar", **LIGHT)
    found = config_lib.preprocessing(trackers.with_preprocessing(config))
    assert found == BACKBONES["efficientnet_lite0"].preprocessing
    assert config.model.preprocessing.order == ""
    with pytest.raises(InputError, match='preprocessing.order is "", the backbone\'s'):
        config_lib.preprocessing(config)
    config.model.preprocessing.scale = (2.0, 2.0, 2.0)
    with pytest.raises(InputError, match="mean and scale need order"):
        trackers.with_preprocessing(config)
    config.model.preprocessing.order = "BGR"
    assert trackers.with_preprocessing(config) is config
    assert config_lib.preprocessing(config).scale == (2.0, 2.0, 2.0)


def test_few_turn_settings_into_a_family():
    asking = set()
    for path in (ROOT / "jaxtrack").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "jaxtrack.trackers":
                names = {alias.name for alias in node.names}
                if names & {"family_of", "network_of", "tracker_of", "configure"}:
                    asking.add(str(path.relative_to(ROOT / "jaxtrack")))
    assert asking <= ASKING


@pytest.mark.parametrize("name", trackers.FAMILIES)
def test_only_cuts_depend_on_the_canvas(name):
    config = trackers.configure(name, **FITTING.get(name, LIGHT))
    tracker = trackers.tracker_of(config)
    state = TrackerState(None, jnp.array([60.0, 50, 20, 30]), jnp.zeros(3))
    seen = []
    for canvas in [(256, 256), (512, 768)]:
        frame = Frame(jax.ShapeDtypeStruct((*canvas, 3), jnp.uint8), jnp.array(canvas))
        aims = *tracker.aim_first(state.box, frame.hw), tracker.aim(state, frame.hw)
        seen.append([jax.eval_shape(tracker.cut, frame, aim) for aim in aims])
    assert seen[0] == seen[1]
    assert len(set(map(str, seen[0]))) == 1  # Template and search crops share it too.
