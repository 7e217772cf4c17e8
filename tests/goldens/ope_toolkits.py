"""Packs what the official evaluation codes say about small made-up results.

OTB's toolkit (Python), LaSOT's (Matlab), pysot's (without and with LaSOT's flags) and
the GOT-10k toolkit (as OTB, UAV123, LaSOT and on its validation set) were run on six
made-up sequences and two trackers; their answers and the inputs lie under
`$JAXTRACK_SHARED/oracles`. Run: python tests/goldens/ope_toolkits.py
"""

import json
import os
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("JAXTRACK_SHARED", HERE.parents[2] / "shared"))
CURVES = ("success_curve", "precision_curve", "norm_precision_curve")
NAMED = {
    "auc": "auc",
    "precision": "precision20",
    "norm_precision": "norm_precision_0p20",
    **{curve: curve for curve in CURVES},
}
NAMED_GOT10K = {
    "auc": "success_score",
    "precision": "precision_score",
    "norm_precision": "normalized_precision_score",
    "sr50": "success_rate",
    "success_curve": "success_curve",
    "precision_curve": "precision_curve",
    "norm_precision_curve": "normalized_precision_curve",
}


def inputs(oracles):
    packed = {}
    for name, facts in json.loads((oracles / "ope/meta.json").read_text()).items():
        packed[f"truth_{name}"] = np.loadtxt(
            oracles / f"ope/gt/{name}.txt", delimiter=","
        )
        packed[f"absent_{name}"] = np.loadtxt(oracles / f"ope/absent/{name}.txt")
        packed[f"cover_{name}"] = np.loadtxt(oracles / f"ope/cover/{name}.label")
        packed[f"size_{name}"] = np.array([facts["width"], facts["height"]])
        for tracker in ("good", "drift"):
            path = oracles / f"ope/results/{tracker}/{name}.txt"
            packed[f"result_{tracker}_{name}"] = np.loadtxt(path, delimiter=",")
    return packed


def answers(protocol, tracker, overall, sequences, named):
    """Keys `<protocol>/<tracker>/<field>`, with `/<sequence>` for one of them."""
    packed = {}
    if tracker != "good":  # One tracker's sequences are enough to find a fault by.
        sequences = {}
    for ours, theirs in named.items():
        if theirs in overall:
            packed[f"{protocol}/{tracker}/{ours}"] = np.array(
                overall[theirs], np.float64
            )
        for name, one in sequences.items():
            if theirs in one:
                packed[f"{protocol}/{tracker}/{ours}/{name}"] = one[theirs]
    return {key: np.array(value, np.float64) for key, value in packed.items()}


def main():
    oracles = SHARED / "oracles"
    packed = inputs(oracles)

    def expected(name):
        return json.loads((oracles / f"expected/{name}.json").read_text())

    pysot, got10k = expected("pysot_ope"), expected("got10k_toolkit")
    for protocol, trackers in {
        "otb": expected("otb"),
        "lasot": expected("lasot"),
        "pysot": pysot["plain"],
        "pysot_lasot": pysot["lasot"],
    }.items():
        for tracker, one in trackers.items():
            packed |= answers(protocol, tracker, one, one["sequences"], NAMED)
            frames = {"iou": "iou", "center_error": "center"}
            packed |= answers(protocol, tracker, {}, one["sequences"], frames)
    for protocol, kind in {
        "got10k_otb": "OTB",
        "got10k_uav123": "UAV123",
        "got10k_lasot": "LaSOT",
    }.items():
        for tracker, one in got10k[kind].items():
            whole, each = one["overall"], one["seq_wise"]
            packed |= answers(protocol, tracker, whole, each, NAMED_GOT10K)
    named = {"ao": "ao", "sr50": "sr_0.50", "sr75": "sr_0.75"}
    named["success_curve"] = "succ_curve"
    for tracker, one in got10k["GOT10k_val"].items():
        packed |= answers("got10k", tracker, one["overall"], {}, named)
        each = answers(
            "got10k", tracker, {}, one["seq_wise"], {"ao": "ao", "sr50": "sr"}
        )
        packed |= each
    np.savez_compressed(HERE / "ope_toolkits.npz", **packed)


if __name__ == "__main__":
    main()
