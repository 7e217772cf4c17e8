"""A tracker from outside of the package: no file of it is touched."""

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp

from jaxtrack import config as config_lib
from jaxtrack.data.composed import ComposedSource
from jaxtrack.metrics import ope
from jaxtrack.ops import boxes, grid, xcorr
from jaxtrack.trackers import siamcar
from jaxtrack.trackers.family import Family
from jaxtrack.tracking import run, video
from jaxtrack.training import inference, loop


class Toy(nn.Module):
    """One convolution, correlated; boxes keep the target's size."""

    geometry: grid.Geometry = grid.Geometry(64, 128, 9, 8, 32.0)
    anchors: tuple = ()

    def setup(self):
        self.conv = nn.Conv(12, (8, 8), (8, 8))

    def encode_template(self, image):
        return self.conv(image)

    encode_search = encode_template

    def predict(self, z, x):
        match = xcorr.depthwise_xcorr(z, x).mean(-1, keepdims=True)
        cls = jnp.concatenate([jnp.zeros_like(match), match], axis=-1)
        ltrb = jnp.full((*match.shape[:3], 4), 16.0)
        return {"cls": cls, "ltrb": ltrb, "centerness": match}

    def __call__(self, z_image, x_image, *, train=False, train_backbone=False):
        return self.predict(self.conv(z_image), self.conv(x_image))


TOY = Family(network=lambda config, **_: Toy(), loss=siamcar.FAMILY.loss)


def test_a_tracker_of_ones_own(tmp_path):
    config = config_lib.get_config()
    config.model.name, config.tracking.selection = "toy", "clean"
    config.model.preprocessing.update({"order": "RGB", "scale": (64.0,) * 3})
    config.run.batch_size, config.run.pairs_per_epoch, config.run.num_epochs = 8, 160, 1
    config.optimizer.warmup_epochs = 0.0
    config.data.num_workers = 0
    config.data.scenes = 8
    loop.train(config, tmp_path, family=TOY)
    saved = inference.load_for_inference(tmp_path)
    assert saved.step == 20 and saved.config.model.name == "toy"

    scenes = ComposedSource(num_tracks=1, length=8, size=(180, 240), seed=0)
    xyxy = scenes.track_boxes(0)
    frames = [video.pad(scenes.frame(0, i).image, (256, 256)) for i in range(8)]
    drivers = run.compile_tracker(TOY.tracker(saved.config, Toy()))
    variables = jax.device_put(saved.variables)
    first = np.asarray(boxes.xyxy_to_cxcywh(xyxy[0]))
    found = [out.box for out in run.track_video(drivers, variables, frames, first)]
    xywh = [np.concatenate([box[:2] - box[2:] / 2, box[2:]]) for box in found]
    truth = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    scored = ope.score({"v": truth}, {"v": np.array(xywh)}, protocol="otb")
    assert len(xywh) == 8 and 0 < scored.auc <= 1
