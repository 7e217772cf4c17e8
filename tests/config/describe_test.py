"""Tests for jaxtrack.config.describe."""

import pathlib

from jaxtrack import config as config_lib
from jaxtrack.config.fields import FIELDS, GROUPS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def test_the_page_is_the_table():
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == config_lib.markdown(), "make docs/settings.md again, as it says"
    assert all(f"| `{field.name}` |" in page for field in FIELDS)
    assert all(f"\n## {group}\n" in page for group in GROUPS)


def test_the_list_has_every_field_and_its_range():
    text = config_lib.text(width=72)
    assert max(map(len, text.splitlines())) <= 72
    for field in FIELDS:
        assert f"\n--config.{field.name}=" in text
    row = text[text.index("--config.optimizer.lr=") :].split("--config.")[1]
    assert row == (
        "optimizer.lr=0.005\n"
        "    Learning rate after warm-up, at batch size\n"
        "    `optimizer.reference_batch`. (above 0)\n"
    )


def test_a_typo_gets_the_nearest_name():
    meant = {
        "run.batch_sise": "run.batch_size",
        "batch_sise": "run.batch_size",
        "lr": "optimizer.lr",
        "lr_wamup": "optimizer.lr_warmup",
        "refine.sampls": "refine.samples",
        "samples": "refine.samples",
        "sampls": "refine.samples",
        "online.lr": "optimizer.lr",
        "model.backbone_lr_factor": "optimizer.backbone_lr_factor",
    }
    for typo, name in meant.items():
        message = config_lib.unknown(typo)
        assert message.startswith(f"no setting config.{typo}: did you mean {name}")
    assert config_lib.unknown("zzzz") == "no setting config.zzzz: see docs/settings.md"
    assert config_lib.unknown("model").startswith("config.model is a group: name one")
