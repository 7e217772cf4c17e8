"""Packs what pysot's evaluation code says about small made-up runs and region pairs.

Its answers and the inputs lie under `$JAXTRACK_SHARED/oracles`: six sequences, two
trackers whose box at frame t is script[t] + (t - start) * drift, the result files that
the reset-based protocol gives them, and pairs of regions. Coordinates are packed as
whole ten-thousandths of a pixel. Run: python tests/goldens/vot_pysot.py
"""

import json
import os
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("JAXTRACK_SHARED", HERE.parents[2] / "shared"))


def whole(values):
    """Ten-thousandths; all coordinates have at most four decimals."""
    return np.round(np.asarray(values, np.float64) * 1e4).astype(np.int32)


def pack_sequences(packed, folder, meta):
    for name, facts in meta["sequences"].items():
        packed[f"truth_{name}"] = whole(
            np.loadtxt(folder / f"gt/{name}.txt", delimiter=",")
        )
        packed[f"size_{name}"] = np.array([facts["width"], facts["height"]])
        packed[f"tags_{name}"] = np.stack(
            [np.loadtxt(folder / f"tags/{name}/{tag}.tag") > 0 for tag in meta["tags"]]
        )


def pack_tracker(packed, folder, meta, tracker, answer):
    packed[f"drift_{tracker}"] = np.array(meta["trackers"][tracker]["drift"])
    for key in ("eao", "eao_curve", "accuracy", "robustness", "lost_number"):
        packed[f"{key}_{tracker}"] = np.array(answer[key])
    for name, one in answer["sequences"].items():
        script = np.loadtxt(folder / f"script/{tracker}/{name}.txt", delimiter=",")
        packed[f"script_{tracker}_{name}"] = whole(script)
        path = folder / f"results/{tracker}/baseline/{name}/{name}_001.txt"
        packed[f"file_{tracker}_{name}"] = np.frombuffer(path.read_bytes(), np.uint8)
        packed[f"overlaps_{tracker}_{name}"] = np.array(
            one["overlaps_burnin"], np.float64
        ).astype(np.float32)
        packed[f"failures_{tracker}_{name}"] = np.array(one["failures"])


def pack_pairs(packed, pairs, answers):
    for side in "ab":
        rows = [pair[side] + [np.nan] * (8 - len(pair[side])) for pair in pairs]
        packed[f"pairs_{side}"] = np.array(rows)
    packed["pairs_bounds"] = np.array([pair["bounds"] for pair in pairs])
    for key in ("unbounded", "bounded_wh", "bounded_wh_minus1"):
        packed[f"pairs_{key}"] = np.array([float(a[key]) for a in answers])


def main():
    folder, expected = SHARED / "oracles/vot", SHARED / "oracles/expected"
    meta = json.loads((folder / "meta.json").read_text())
    packed = {}
    pack_sequences(packed, folder, meta)
    for tracker, answer in json.loads(
        (expected / "pysot_vot.json").read_text()
    ).items():
        pack_tracker(packed, folder, meta, tracker, answer["VOT2018"])
    pack_pairs(
        packed,
        json.loads((folder / "pairs.json").read_text()),
        json.loads((expected / "pairs_pysot_region.json").read_text()),
    )
    np.savez_compressed(HERE / "vot_pysot.npz", **packed)


if __name__ == "__main__":
    main()
