"""DLA-SiamRPN++ on ResNet-50: SiamRPN++ with dynamic labels.

Paper: Cai et al., SiamDLA, section 3.1.
Run: jaxtrack train --config=dla_siamrpnpp_r50 --workdir=runs/dla_siamrpnpp_r50 \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: what the paper leaves open is resolved as D1 to D21 (docs/siamdla.md); pairs
    without the target keep pysot's few negatives (D13).
"""

from ml_collections import ConfigDict

from jaxtrack.configs import _mixtures, siamrpnpp_r50


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_r50` with dynamic labels."""
    c = siamrpnpp_r50.get_config()
    c.labels.assigner = "dla"
    c.labels.sampled_positives = 0
    c.labels.sampled_negatives = 0
    _mixtures.siamdla(c)
    return c
