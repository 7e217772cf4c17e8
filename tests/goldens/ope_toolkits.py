"""Packs what the official evaluation codes say about small made-up results.

The OTB toolkit (Python) and the GOT-10k toolkit (validation report) were run on six
made-up sequences and two trackers; their answers and the inputs lie under
`$JAXTRACK_SHARED/oracles`. Run: python tests/goldens/ope_toolkits.py
"""

import json
import os
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("JAXTRACK_SHARED", HERE.parents[2] / "shared"))


def main():
    oracles = SHARED / "oracles"
    meta = json.loads((oracles / "ope/meta.json").read_text())
    otb = json.loads((oracles / "expected/otb.json").read_text())
    got = json.loads((oracles / "expected/got10k_toolkit.json").read_text())[
        "GOT10k_val"
    ]
    packed = {}
    for name, facts in meta.items():
        packed[f"truth_{name}"] = np.loadtxt(
            oracles / f"ope/gt/{name}.txt", delimiter=","
        )
        packed[f"cover_{name}"] = np.loadtxt(oracles / f"ope/cover/{name}.label")
        packed[f"size_{name}"] = np.array([facts["width"], facts["height"]])
        for tracker in otb:
            path = oracles / f"ope/results/{tracker}/{name}.txt"
            packed[f"result_{tracker}_{name}"] = np.loadtxt(path, delimiter=",")
    for tracker, answer in otb.items():
        for key in ("auc", "precision20", "success_curve", "precision_curve"):
            packed[f"otb_{tracker}_{key}"] = np.array(answer[key])
        for name, one in answer["sequences"].items():
            packed[f"otb_{tracker}_iou_{name}"] = np.array(one["iou"], np.float64)
            packed[f"otb_{tracker}_center_{name}"] = np.array(one["center"], np.float64)
        overall = got[tracker]["overall"]
        for key in ("ao", "sr_0.50", "sr_0.75", "succ_curve", "mean_of_sequence_ao"):
            packed[f"got10k_{tracker}_{key}"] = np.array(overall[key])
    np.savez_compressed(HERE / "ope_toolkits.npz", **packed)


if __name__ == "__main__":
    main()
