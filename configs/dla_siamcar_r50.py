"""DLA-SiamCAR on ResNet-50: SiamCAR with dynamic labels.

Paper: Cai et al., SiamDLA, section 3.2; the batch is that of section 4.7.
Run: jaxtrack train --config=dla_siamcar_r50 --workdir=runs/dla_siamcar_r50 \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: what the paper leaves open is resolved as D1 to D21 (docs/siamdla.md).
"""

from ml_collections import ConfigDict

from jaxtrack.configs import _mixtures, siamcar_r50


def get_config() -> ConfigDict:
    """Returns `siamcar_r50` with dynamic labels."""
    c = siamcar_r50.get_config()
    c.labels.assigner = "dla"
    c.run.batch_size = 256
    c.optimizer.reference_batch = 256
    _mixtures.siamdla(c)
    return c
