"""Tests for the TraX server; vot_toolkit_test.py has the toolkit run it."""

import configparser
import contextlib
import math
import pathlib
import shlex
import subprocess
import sys

import cv2
import numpy as np
import pytest

from jaxtrack import cli
from jaxtrack.errors import InputError
from jaxtrack.integrations import trax as vot
from tests.refusals import refused

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
trax = pytest.importorskip("trax", reason="pip install 'jaxtrack[vot]'")
server = pytest.importorskip("trax.server")


class ScriptedServer:
    """Stands in for TraX's server: gives the requests of a script, keeps answers."""

    def __init__(self, *requests):
        """Takes the requests, each a kind, a picture's path and regions."""
        self.requests = iter(requests)
        self.answers, self.reasons = [], []

    def __call__(self, region_formats, image_formats, tracker_name):
        self.formats, self.name = (region_formats, image_formats), tracker_name
        return self

    def wait(self):
        kind, path, *targets = next(self.requests, ("gone", ""))
        if kind == "gone":
            raise trax.TraxException("connection closed")
        images = {"color": trax.FileImage.create(str(path))}
        objects = [(region, {}) for region in targets]
        return server.Request(kind, images, objects, {})

    def status(self, objects):
        ((region, properties),) = objects
        answer = [*region.bounds(), float(properties["confidence"])]
        self.answers.append(np.round(answer, 4).tolist())

    def quit(self, reason=None):
        self.reasons.append(reason)


@pytest.fixture
def picture(tmp_path):
    """A picture whose first red pixel is (46, 37)."""
    image = np.full((90, 120, 3), 60, np.uint8)
    image[37:46, 46:55] = (0, 0, 250)  # BGR.
    cv2.imwrite(str(tmp_path / "0.png"), image)
    return tmp_path / "0.png"


@pytest.fixture
def serve(monkeypatch, seeker):
    """Serves a script with the seeking tracker; returns the server afterwards."""

    def run(*requests, raises=None, tracker=seeker, **options):
        scripted = ScriptedServer(*requests)
        monkeypatch.setattr(trax, "Server", scripted)
        expected = pytest.raises(raises) if raises else contextlib.nullcontext()
        with expected:
            vot.serve(tracker, **options)
        return scripted

    return run


QUIT = ("quit", "")


def test_follows_a_rectangle_and_starts_again(serve, picture):
    served = serve(
        ("initialize", picture, trax.Rectangle.create(20.5, 35, 20, 10)),
        ("frame", picture),
        ("initialize", picture, trax.Rectangle.create(1, 2, 6, 8)),
        ("frame", picture),
        QUIT,
        name="ours",
    )
    # About the middle of pixel (46, 37), first 21 by 10 and then 7 by 8.
    assert served.answers == [
        [20.5, 35, 20, 10, 1],
        [36, 32.5, 21, 10, 0.09],
        [1, 2, 6, 8, 1],
        [43, 33.5, 7, 8, 0.09],
    ]
    assert served.reasons == [None]
    assert (served.name, served.formats) == (
        "ours",
        (["rectangle", "polygon"], ["path"]),
    )


@pytest.mark.parametrize("rule", ["area", "bounds"])
def test_starts_from_a_polygon(serve, picture, rule):
    points = [(30, 20), (50, 30), (40, 60), (20, 50)]
    polygon = trax.Polygon.create(points)
    served = serve(("initialize", picture, polygon), QUIT, polygon=rule)
    ((*xywh, _),) = served.answers
    np.testing.assert_allclose(xywh, vot.box_of_polygon(points, rule=rule), atol=1e-4)


@pytest.mark.parametrize("target", [(200, 35, 20, 10), (20, 35, 0, 10)])
def test_a_target_that_cannot_be_is_told(serve, picture, target):
    region = trax.Rectangle.create(*target)
    served = serve(("initialize", picture, region), QUIT, raises=InputError)
    assert served.answers == []
    (reason,) = served.reasons
    assert "the first box is x,y,w,h" in reason


def test_a_fault_of_our_own_is_told(serve, seeker, picture, monkeypatch):
    monkeypatch.setattr(seeker, "update", lambda image: 1 / 0)
    served = serve(("frame", picture), raises=ZeroDivisionError)
    assert served.reasons == ["division by zero"]


def test_a_lost_client_is_an_error(serve):
    assert serve(raises=InputError).reasons == []


# A server as a program: what it is fed and says is the protocol's text.
ECHO = """
from jaxtrack import cli
from jaxtrack.integrations import trax

class Echo:
    def init(self, image, xywh):
        self.xywh = xywh
        return xywh, 1.0

    def update(self, image):
        return self.xywh + (60, image[0, 0, 2], 0, 0), 0.5

class Command:
    add_arguments = staticmethod(lambda parser: None)
    run = staticmethod(lambda args: trax.serve(Echo(), name="echo"))

cli.run_command(Command, [], prog="echo")
"""


def converse(*lines):
    """Feeds lines to a server that moves its box by the first pixel's blue."""
    text = "".join(f"\n@@TRAX:{line}\n" for line in lines)
    settings = {"input": text, "capture_output": True, "text": True, "cwd": ROOT}
    return subprocess.run([sys.executable, "-c", ECHO], timeout=300, **settings)


def test_speaks_the_protocol(picture):
    done = converse(
        'initialize "10,20,29,20,29,35,10,35" ',
        f'frame "file://{picture}" ',
        f'frame "file://{picture}" ',
        'frame "file:///missing.png" ',
    )
    said = [line for line in done.stdout.splitlines() if line]
    assert said[0].startswith('@@TRAX:hello "trax.name=echo"')
    # The polygon's pixels, and then the box moved by 60 px.
    boxes = ["10.0000,20.0000,20.0000,16.0000", "70.0000,80.0000,20.0000,16.0000"]
    for line, box, confidence in zip(said[1:3], boxes, ("1.0", "0.5"), strict=True):
        assert line.split() == [
            "@@TRAX:state",
            f'"{box}"',
            f'"confidence={confidence}00000"',
        ]
    assert said[3].startswith('@@TRAX:quit "trax.reason=/missing.png cannot be read')
    assert done.returncode == 2
    assert done.stderr.startswith("error: /missing.png cannot be read")


@pytest.mark.parametrize(("lines", "code"), [(("quit ",), 0), ((), 2)])
def test_ends_when_the_client_does(lines, code):
    done = converse(*lines)
    assert done.returncode == code, done.stderr
    assert ("the TraX client is gone" in done.stderr) == (code == 2)


def test_follows_one_target_only():
    one = (trax.Rectangle.create(1, 2, 3, 4), {})
    with pytest.raises(InputError, match="2 targets at once"):
        vot._first_xywh([one, one], "area")
    with pytest.raises(InputError, match="a target as special"):
        vot._first_xywh([(trax.Special.create(1), {})], "area")


@pytest.mark.parametrize("rule", ["area", "bounds"])
def test_an_upright_polygon_is_its_pixels(rule):
    # Corners are pixels 10 to 29 and 20 to 35: 20 columns and 16 rows.
    points = [(10, 20), (29, 20), (29, 35), (10, 35)]
    np.testing.assert_allclose(vot.box_of_polygon(points, rule=rule), [10, 20, 20, 16])


def test_a_turned_polygon_keeps_its_area():
    # A square of area 200 in a box of 20 by 20 about pixel (10, 10).
    points = [(10, 0), (20, 10), (10, 20), (0, 10)]
    side = 20 * math.sqrt(200 / 400) + 1
    expected = [10.5 - side / 2, 10.5 - side / 2, side, side]
    np.testing.assert_allclose(vot.box_of_polygon(points), expected)
    np.testing.assert_allclose(
        vot.box_of_polygon(points, rule="bounds"), [0, 0, 21, 21]
    )
    # More corners, or a line: what is around it.
    five = [*points, (5, 5)]
    np.testing.assert_allclose(vot.box_of_polygon(five), [0, 0, 21, 21])
    line = [(3, 4), (3, 9), (3, 9), (3, 4)]
    np.testing.assert_allclose(vot.box_of_polygon(line), [3, 4, 1, 6])
    with pytest.raises(ValueError, match="'area' or 'bounds', not 'around'"):
        vot.box_of_polygon(points, rule="around")


def test_the_section_starts_the_server(tmp_path):
    folder = tmp_path / "run of 100%"
    text = vot.ini_section(str(folder), options=["--polygon=bounds"])
    parsed = configparser.ConfigParser()
    parsed.read_string(text)
    assert parsed.sections() == ["run_of_100_"]
    section = parsed["run_of_100_"]
    assert section["protocol"] == "trax"
    assert shlex.split(section["command"]) == [
        *(sys.executable, "-m", "jaxtrack", "trax"),
        *(f"--checkpoint={folder}", "--polygon=bounds"),
    ]
    assert "[ours]\n" in vot.ini_section("runs/lite0", name="ours")
    # A name of a shipped tracker is no path.
    assert "trax --checkpoint=lite\n" in vot.ini_section("lite")
    assert "[net]\n" in vot.ini_section("runs/net.safetensors")
    with pytest.raises(InputError, match="letters, digits"):
        vot.ini_section("runs/lite0", name="a b")


def test_says_what_to_install(monkeypatch, seeker):
    monkeypatch.setitem(sys.modules, "trax", None)
    with pytest.raises(InputError, match=r"pip install 'jaxtrack\[vot\]'"):
        vot.serve(seeker)


def test_wrong_options_are_one_line(capsys):
    for flags, message in (
        ((), "--checkpoint is missing: name a tracker"),
        (("--checkpoint=lite", "--compile_for=640"), "--compile_for=640: write WIDTHx"),
        (("--checkpoint=lite", "--compile_for=0x480"), "--compile_for=0x480"),
        (("--checkpoint=lite", "--polygon=round"), "polygon"),
    ):
        # Nothing on standard output, which is the protocol's.
        assert message in refused(capsys, "trax", *flags)


def test_the_section_has_the_options_given(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "x" / "checkpoints" / "5").mkdir(parents=True)
    cli.main(["trax", "--print_ini", "--checkpoint=a/x", "--compile_for=160x120"])
    command = capsys.readouterr().out.splitlines()[3]
    assert command.endswith("/a/x --compile_for=160x120")
