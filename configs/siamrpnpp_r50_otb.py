"""SiamRPN++ on ResNet-50 as pysot tests it on OTB: with equal weights of levels.

Paper: Li et al., SiamRPN++ (arXiv:1812.11703); STVIR/pysot,
    siamrpn_r50_l234_dwxcorr_otb.
Run: jaxtrack train --config=siamrpnpp_r50_otb --workdir=runs/siamrpnpp_r50_otb \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: pysot has no training settings for it; these are those of `siamrpnpp_r50`.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamrpnpp_r50


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_r50` without learned weights of levels."""
    c = siamrpnpp_r50.get_config()
    c.model.level_weights = False
    c.tracking.penalty = 0.24
    c.tracking.window = 0.5
    c.tracking.size_rate = 0.25
    return c
