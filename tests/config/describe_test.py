"""Tests for jaxtrack.config.describe."""

import pathlib

from jaxtrack import config as config_lib
from jaxtrack.config.fields import FIELDS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def test_the_page_is_the_table():
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == config_lib.markdown(), "make docs/settings.md again, as it says"
    assert all(f"| `{field.name}` |" in page for field in FIELDS)


def test_the_list_has_every_field_and_its_range():
    text = config_lib.text(width=72)
    assert max(map(len, text.splitlines())) <= 72
    for field in FIELDS:
        assert f"--config.{field.name}=" in text
    row = text[text.index("--config.lr=") :].split("--config.")[1]
    assert row == (
        "lr=0.005\n"
        "    Learning rate after warm-up, at `batch_size` pairs; never rescaled.\n"
        "    (above 0)\n"
    )


def test_a_typo_gets_the_nearest_name():
    meant = {
        "batch_sise": "batch_size",
        "lr_wamup": "lr_warmup",
        "refine.sampls": "refine.samples",
        "samples": "refine.samples",
        "sampls": "refine.samples",
        "online.lr": "lr",
    }
    for typo, name in meant.items():
        message = config_lib.unknown(typo)
        assert message.startswith(f"no setting config.{typo}: did you mean {name}")
    assert config_lib.unknown("zzzz") == "no setting config.zzzz: see docs/settings.md"
