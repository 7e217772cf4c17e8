"""DLA-SiamFC++ on GoogLeNet: SiamFC++ with dynamic labels.

Paper: Cai et al., SiamDLA, Table 2.
Run: jaxtrack train --config=dla_siamfcpp_googlenet --workdir=runs/dla_siamfcpp \
         --config.model.pretrained=inception_v3.safetensors \
         --config.data.root=packed
Cost, score: not trained here.
Differs: the paper gives no details; labels are those of its DLA-SiamCAR (D19).
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamfcpp_googlenet


def get_config() -> ConfigDict:
    """Returns `siamfcpp_googlenet` with dynamic labels."""
    c = siamfcpp_googlenet.get_config()
    c.labels.assigner = "dla"
    return c
