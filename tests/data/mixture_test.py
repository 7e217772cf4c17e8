"""Tests for jaxtrack.data.mixture."""

import types

import pytest

from jaxtrack.config import check, get_config
from jaxtrack.configs import demo
from jaxtrack.data import mixture, portions
from jaxtrack.data.portions import ALL, Portion
from jaxtrack.errors import InputError


def test_folders_of_no_share_are_no_portion():
    """Each folder keeps its own frame range; composed scenes come last."""
    config = get_config()
    config.data.root, config.data.records = "below", ("a", "b", "/c")
    used = [(place, str(folder)) for place, folder in mixture.used_folders(config)]
    assert used == [(0, "below/a"), (1, "below/b"), (2, "/c")]
    config.data.record_weights = (1.0, 0.0, 1.0)
    assert [place for place, _ in mixture.used_folders(config)] == [0, 2]
    config.data.record_weights, config.data.num_use = (), (0, -1, 5)
    assert [place for place, _ in mixture.used_folders(config)] == [1, 2]


def test_what_is_trained_on_is_told_with_its_share():
    def of(name, tracks, **options):
        source = types.SimpleNamespace(num_tracks=tracks, num_frames=100 * tracks)
        return Portion(name, source, frame_range=100, **options)

    # Those with counts share 1 by their counts, 30 : 10; the scenes have 1 beside it.
    used = [
        of("packed/got10k", 60, num_use=30),
        of("packed/x", 10, num_use=ALL),
        of("composed scenes", 2000, share=1.0),
    ]
    assert portions.shares(used) == [0.375, 0.125, 0.5]
    assert portions.describe(used) == [
        "packed/got10k       60 tracks    6,000 frames  38% of the pairs",
        "packed/x            10 tracks    1,000 frames  12% of the pairs",
        "composed scenes  2,000 tracks  200,000 frames  50% of the pairs",
    ]
    assert portions.describe([]) == []


def packed_config(packed, **changes):
    config = demo.get_config()
    data = {"root": packed.parent, "records": (packed.name,), "composed_weight": 0.0}
    for name, value in (data | changes).items():
        config.data[name] = str(value) if name == "root" else value
    check(config)
    return config


def test_patterns_weigh_tracks_and_the_first_that_fits_decides(packed):
    (plain,) = mixture.make_portions(packed_config(packed, frame_ranges=(7,)))
    assert (plain.weights, plain.frame_range, plain.num_use) == (None, 7, None)
    names = plain.source.track_names.tolist()
    weights = {"track_patterns": (names[1], "*"), "track_weights": (0.25, 0.5)}
    config = packed_config(packed, num_use=(9,), **weights)
    (weighted,) = mixture.make_portions(config)
    expected = [0.25 if name == names[1] else 0.5 for name in names]
    assert (weighted.weights.tolist(), weighted.num_use) == (expected, 9)
    weights["track_patterns"] = (names[1], "drone_*")
    with pytest.raises(InputError, match=rf"no track matches 'drone_\*'.*{names[0]}"):
        mixture.make_portions(packed_config(packed, **weights))


def test_a_missing_folder_is_named_with_the_command_that_makes_it(tmp_path):
    config = packed_config(tmp_path / "got10k")
    with pytest.raises(InputError) as caught:
        mixture.make_portions(config)
    folder = tmp_path / "got10k"
    for said in (
        f"no folder {folder}:",
        f"jaxtrack pack --dataset=got10k --root=DIR --out={folder}`",
        "with a 0 in config.data.record_weights",
        f"config.data.root to its parent folder (now {tmp_path})",
    ):
        assert said in str(caught.value)
    config.data.record_weights = (0.0,)
    mixture.check_folders(config)


def test_what_needs_a_second_track_is_said_of_one_alone(packed):
    only = {"track_patterns": ("bear_1", "*"), "track_weights": (1.0, 0.0)}
    config = packed_config(packed)
    names = mixture.make_portions(config)[0].source.track_names
    only["track_patterns"] = (str(names[0]), "*")
    config = packed_config(packed, **only)
    both = "data.negative_ratio 0.08 and config.augment.fill_image 0.4 need"
    with pytest.raises(InputError, match=both):
        mixture.make_portions(config)
    config.data.negative_ratio = 0.0
    with pytest.raises(InputError, match=r"config.augment.fill_image 0.4 need.*set it"):
        mixture.make_portions(config)
    config.augment.fill_image = 0.0
    assert len(mixture.make_portions(config)) == 1
    config.augment.fill_image, config.data.composed_weight = 0.4, 0.2
    assert len(mixture.make_portions(config)) == 2  # Filled from composed scenes.


def test_cutouts_are_found_by_pattern(tmp_path):
    config = demo.get_config()
    config.data.composed_cutouts = str(tmp_path)
    config.data.composed_patterns = ("davis_*",)
    with pytest.raises(InputError, match=r"composed_cutouts: no masks under"):
        mixture.make_portions(config)


def test_a_folder_that_shows_too_little_is_named():
    source = types.SimpleNamespace(extent=4.2, num_tracks=3)
    portion = Portion("packed/x", source, 100, 1.0)
    mixture.check_extents([portion], 4.1)
    with pytest.raises(InputError, match="packed/x: has 4.20 .* may show 4.30"):
        mixture.check_extents([portion], 4.3)
    source.extent = 0.0  # Whole frames.
    mixture.check_extents([portion], 4.3)
