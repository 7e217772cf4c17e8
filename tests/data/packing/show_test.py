"""The contact sheet shows pairs as a training sees them."""

import cv2
import numpy as np

from jaxtrack import cli
from jaxtrack.training import pair_sheet


def test_pairs_with_boxes_and_labels(packed, tmp_path, monkeypatch, capsys):
    cells = []
    draw = pair_sheet._cell
    monkeypatch.setattr(
        pair_sheet, "_cell", lambda *parts: cells.append(parts) or draw(*parts)
    )
    out = tmp_path / "pairs.png"
    argv = ["pack", "show", str(packed), f"--out={out}", "--num=3"]
    # Colors and blur stay off, so that little is compiled.
    for name in ("tone", "template_color", "search_color", "search_blur", "noise"):
        argv.append(f"--config.augment.{name}=0")
    for name in ("gray", "motion_blur", "low_resolution", "occluder", "template_blur"):
        argv.append(f"--config.augment.{name}=0")
    cli.main([*argv, "--config.augment.flip=0", "--config.data.negative_ratio=0.5"])
    assert capsys.readouterr().out == f"{out}: 3 pairs\n"
    sheet = cv2.imread(str(out))[..., ::-1]
    assert sheet.shape == (256 + 32 + 4, 3 * (128 + 4 + 256 + 4), 3)
    for column, (pair, _, _, said) in enumerate(cells):
        left = column * (128 + 4 + 256 + 4)
        # The corner of the template's box is green.
        x0, y0 = np.clip(np.round(pair["z_xyxy"][:2]).astype(int), 0, 127)
        assert sheet[y0, left + x0].tolist() == [60, 220, 60]
        names = [text.partition(": ")[2].partition(" @")[0] for text in said]
        assert (names[0] == names[1]) == bool(pair["is_positive"])
