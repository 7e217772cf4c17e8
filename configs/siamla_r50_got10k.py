"""SiamLA on ResNet-50, on only GOT-10k, as for the ablations and Table I.

Paper: Nie et al., SiamLA, section IV-A.
Run: jaxtrack train --config=siamla_r50_got10k --workdir=runs/siamla_r50_got10k \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: as `siamla_r50`.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import _mixtures, siamla_r50


def get_config() -> ConfigDict:
    """Returns `siamla_r50`, tracking with SiamCAR's numbers for GOT-10k."""
    c = siamla_r50.get_config()
    c.tracking.size_rate = 0.7
    c.tracking.penalty = 0.06
    c.tracking.window = 0.1
    _mixtures.got10k(c)
    return c
