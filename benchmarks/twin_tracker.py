"""The tracker in PyTorch, OpenCV and numpy, as public trackers are written."""

import cv2
import numpy as np
import torch

from benchmarks import twin
from jaxtrack import trackers


class TwinTracker:
    """Follows a target with the twin of a network; "clean" selection only."""

    def __init__(self, config, variables):
        """Builds the network with jaxtrack's variables, on the GPU if there is one."""
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = twin.build(config, variables).to(self._device)
        self._config = config
        geometry = trackers.network_of(config).geometry
        self._template, self._search = geometry.template_size, geometry.search_size
        cells = geometry.response_size
        line = geometry.offset + geometry.stride * np.arange(cells)
        self._points = np.stack(np.meshgrid(line, line), -1).astype(np.float32)
        self._window = np.outer(np.hanning(cells), np.hanning(cells))

    @torch.inference_mode()
    def start(self, frame, box):
        """Encodes the target; `box` is cxcywh."""
        self._box = np.asarray(box, np.float64)
        image = self._picture(frame)
        self._fill = image.mean((0, 1))
        crop = self._crop(image, self._side(), self._template)
        self._z = self._network.encode_template(crop)

    @torch.inference_mode()
    def step(self, frame):
        """Finds the target in the next frame; returns cxcywh and the score."""
        image, scale = self._picture(frame), self._template / self._side()
        x_image = self._crop(image, self._search / scale, self._search)
        maps = self._network.predict(self._z, self._network.encode_search(x_image))
        cls = maps["cls"].softmax(1)[0, 1].cpu().numpy()
        ltrb = maps["ltrb"][0].permute(1, 2, 0).cpu().numpy()
        quality = maps["centerness"][0, 0].sigmoid().cpu().numpy()
        return self._select(cls, ltrb, quality, scale, image.shape)

    def _select(self, cls, ltrb, quality, scale, shape):
        """Takes the best cell's box after penalty and window."""
        c, old = self._config, self._box[2:]
        xyxy = np.concatenate(
            [self._points - ltrb[..., :2], self._points + ltrb[..., 2:]], -1
        )
        wh = xyxy[..., 2:] - xyxy[..., :2]
        size = _context_side(wh) / (_context_side(old) * scale)
        aspect = (old[0] / old[1]) / (wh[..., 0] / wh[..., 1])
        change = np.maximum(size, 1 / size) * np.maximum(aspect, 1 / aspect)
        cost = np.exp(-(change - 1) * c.tracking.penalty)
        score = cls * quality**c.tracking.quality_power
        ranked = (
            cost * score * (1 - c.tracking.window) + self._window * c.tracking.window
        )
        at = np.unravel_index(ranked.argmax(), ranked.shape)
        rate = cost[at] * score[at] * c.tracking.size_rate
        box = xyxy[at]
        shift = ((box[:2] + box[2:]) / 2 - self._search / 2) / scale
        center = np.clip(self._box[:2] + shift, 0, shape[1::-1])
        new = (1 - rate) * old + rate * wh[at] / scale
        self._box = np.concatenate([center, np.clip(new, 4, shape[1::-1])])
        return self._box, score[at]

    def _picture(self, frame):
        """Returns the picture of a canvas."""
        height, width = frame.hw
        return frame.image[:height, :width]

    def _side(self):
        """Returns the side of the template's square."""
        return max(_context_side(self._box[2:]), 1)

    def _crop(self, image, side, size):
        """Cuts a square around the box out, as pysot does, and preprocesses it."""
        pixels = round(side)
        corner = np.floor(self._box[:2] - pixels / 2).astype(int)
        low = np.maximum(corner, 0)
        high = np.minimum(corner + pixels, image.shape[1::-1])
        patch = np.empty((pixels, pixels, 3), np.uint8)
        patch[:] = self._fill.astype(np.uint8)
        (x0, y0), (x1, y1) = low - corner, high - corner
        if x1 > x0 and y1 > y0:
            patch[y0:y1, x0:x1] = image[low[1] : high[1], low[0] : high[0]]
        shrinks = pixels > size * 1.6
        patch = cv2.resize(
            patch, (size, size), interpolation=cv2.INTER_AREA if shrinks else 1
        )
        p = self._config.model.preprocessing
        patch = patch[..., :: -1 if p.order == "BGR" else 1].astype(np.float32)
        patch = (patch - np.float32(p.mean)) / np.float32(p.scale)
        patch = torch.from_numpy(patch).permute(2, 0, 1)[None].to(self._device)
        return patch.contiguous(memory_format=torch.channels_last)


def _context_side(wh):
    """Returns the square's side around boxes `[..., 2]`."""
    padding = wh.sum(-1) / 2
    return np.sqrt((wh[..., 0] + padding) * (wh[..., 1] + padding))
