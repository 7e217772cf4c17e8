"""Tracks with two ONNX graphs: onnxruntime, OpenCV and numpy alone.

python track_onnx.py EXPORTED PICTURES x,y,w,h
"""

import json
import pathlib
import sys

import cv2
import numpy as np
import onnxruntime


class Tracker:
    def __init__(self, folder):
        self.graphs = [
            onnxruntime.InferenceSession(f"{folder}/{name}.onnx")
            for name in ("template", "search")
        ]
        self.told = json.loads(pathlib.Path(folder, "tracker.json").read_text())
        rows, columns, anchors = self.told["cells"]
        hann = np.outer(np.hanning(rows), np.hanning(columns))
        self.hann = np.repeat(hann.ravel(), anchors)

    def side(self, wh):  # Of the square around a box that the template shows.
        return np.sqrt(np.prod(wh + self.told["context"] * wh.sum()))

    def crop(self, image, side, size):
        shrink = side / size
        if shrink > 1.6:  # Average first, so as not to alias.
            image = cv2.blur(image, (round(shrink), round(shrink)))
        corner = self.center - side / 2 + (shrink - 1) / 2
        matrix = np.array([[shrink, 0, corner[0]], [0, shrink, corner[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        options = {"flags": flags, "borderValue": self.fill}
        return cv2.warpAffine(image, matrix, (size, size), **options)[None].astype("f4")

    def init(self, image, xywh):
        self.center, self.wh = xywh[:2] + xywh[2:] / 2, xywh[2:]
        self.fill = image.mean((0, 1))
        z = self.crop(image, self.side(self.wh), self.told["template_size"])
        features = self.graphs[0].run(None, {"template": z})
        self.features = dict(zip(self.told["features"], features, strict=True))

    def update(self, image):
        t, size = self.told, self.told["search_size"]
        scale = t["template_size"] / self.side(self.wh)
        x = self.crop(image, size / scale, size)
        maps = self.graphs[1].run(None, {"search": x, **self.features})
        cls, quality, xyxy = (array[0] for array in maps)
        score = cls * quality ** t["quality_power"]
        wh, old = xyxy[:, 2:] - xyxy[:, :2], self.wh * scale
        change = lambda ratio: np.maximum(ratio, 1 / ratio)  # noqa: E731
        area = change(np.array([self.side(b) for b in wh]) / self.side(old))
        shape = change(wh[:, 0] / wh[:, 1] / (old[0] / old[1]))
        cost = np.exp(-t["penalty"] * (area * shape - 1))
        ranked = (1 - t["window"]) * cost * score + t["window"] * self.hann
        best = ranked.argmax()
        rate = min(cost[best] * score[best] * t["size_rate"], 1)
        self.wh = (1 - rate) * self.wh + rate * wh[best] / scale
        shift = (xyxy[best, :2] + xyxy[best, 2:] - size) / 2 / scale
        limit = np.array(image.shape[1::-1])
        self.center = np.clip(self.center + shift, 0, limit)
        self.wh = np.clip(self.wh, 4, limit)
        logit = t["score_slope"] * (score[best] - t["score_middle"])
        told = 1 / (1 + np.exp(-logit)) if t["score_slope"] else score[best]
        return np.concatenate([self.center - self.wh / 2, self.wh]), told


if __name__ == "__main__":
    folder, pictures, box = sys.argv[1:]
    tracker, xywh, score = Tracker(folder), np.array(box.split(","), float), None
    for path in sorted(pathlib.Path(pictures).glob("*.jpg")):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        if score is None:
            tracker.init(image, xywh)
            score = 1.0
        else:
            xywh, score = tracker.update(image)
        print(*(f"{number:.3f}" for number in (*xywh, score)), sep=",")
