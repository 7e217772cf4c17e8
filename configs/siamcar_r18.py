"""SiamCAR on ResNet-18: the released recipe, a smaller backbone.

Paper: Guo et al., SiamCAR (arXiv:1911.07241).
Run: jaxtrack train --config=siamcar_r18 --workdir=runs/siamcar_r18 \
         --config.data.records="('packed/got10k',)" \
         --config.data.composed_weight=0
Cost, score: not trained here.
Differs: the backbone is not the paper's.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_r50


def get_config() -> ConfigDict:
    """Returns `siamcar_r50` with the smaller backbone."""
    c = siamcar_r50.get_config()
    c.model.backbone = "resnet18"
    return c
