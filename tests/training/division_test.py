"""Tests for jaxtrack.training.division."""

import pathlib
import re

import pytest

from jaxtrack import configs
from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.models.norms import Statistics
from jaxtrack.training.division import Division, divide, lines


def settings(size, parts, kind, group=16):
    config = get_config()
    config.run.batch_size, config.run.accumulate = size, parts
    config.run.batch_norm, config.run.batch_norm_group = kind, group
    return config


@pytest.mark.parametrize(
    ("parts", "num_devices", "expected"),
    [
        # SiamLA's 128 pairs in groups of 16: 128, 32, 16 and 16 at once on a device.
        (1, 1, Division(1, Statistics(8, 1), False)),
        (2, 2, Division(2, Statistics(2, 1), True)),
        (4, 2, Division(4, Statistics(1, 1), True)),
        (1, 8, Division(1, Statistics(1, 1), False)),
        # Of 32 devices four pairs each, four devices make a group.
        (1, 32, Division(1, Statistics(1, 4), False)),
    ],
)
def test_groups_of_a_batch(parts, num_devices, expected):
    assert divide(settings(128, parts, "groups"), num_devices) == expected


def test_all_and_frozen():
    assert divide(settings(128, 4, "all"), 2) == Division(4)
    frozen = Division(4, Statistics(is_frozen=True), True)
    assert divide(settings(128, 4, "frozen"), 2) == frozen


def test_the_papers_batches_are_groups_of_what_fits_on_any_number_of_devices():
    """The table of docs/training.md; accumulation_test.py has equal parameters."""
    page = pathlib.Path(__file__).parents[2] / "docs" / "training.md"
    rows = re.findall(r"^\| (\d+), `(\w+)` \| (.*) \|$", page.read_text(), re.M)
    assert [row[0] for row in rows] == ["128", "256", "120"]
    for size, name, cells in rows:
        parts = [int(n) for n in re.findall(r"`(?:run.accumulate=)?(\d+)`", cells)]
        group = 15 if "run.batch_norm_group=15" in cells else 16
        for num_devices, count in zip((1, 2, 4, 8), parts, strict=True):
            config = configs.load(name)
            assert config.run.batch_size == int(size)
            config.run.batch_norm, config.run.batch_norm_group = "groups", group
            config.run.accumulate = count
            expected = Division(count, Statistics(1, 1), count > 1)
            assert divide(config, num_devices) == expected
            assert group * count * num_devices == int(size)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (settings(12, 3, "all"), r"multiple of 24 \(8 devices x 3 acc"),
        (settings(48, 1, "groups", 4), "group is 4: make it a divisor of 6, .* of 8"),
        (settings(16, 1, "groups", 6), "group is 6: make it a divisor of 2, .* of 8"),
    ],
)
def test_a_batch_that_does_not_divide(config, message):
    with pytest.raises(InputError, match=message):
        divide(config, 8)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (settings(32, 1, "all"), ("of 32 pairs",)),
        (settings(32, 2, "all"), ("of 16 pairs", "2 parts of 4 pairs", "close to")),
        (settings(32, 1, "groups", 8), ("of groups of 8 pairs",)),
        (settings(32, 2, "groups", 4), ("of groups of 4", "2 parts", "equal to")),
        (settings(32, 2, "frozen"), ("frozen", "2 parts of 4 pairs", "equal to")),
    ],
)
def test_what_is_said_of_it(config, expected):
    told = lines(config, 4)
    assert all(map(str.__contains__, told, expected))
    assert len(told) == (len(expected) + 1 if "close to" in expected else len(expected))
