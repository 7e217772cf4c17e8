"""SiamCAR on ResNet-50, as released.

Paper: Guo et al., SiamCAR (arXiv:1911.07241); ohhhyeahhh/SiamCAR.
Run: jaxtrack train --config=siamcar_r50 --workdir=runs/siamcar_r50 \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: nothing known; network, labels, loss and selection agree with the released
    code on shared weights (docs/results.md). The released file lists pysot's datasets;
    its authors say that the published model saw GOT-10k, too.
Trains: stem and first stage never, stages 2 to 4 from epoch 10 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=FILE, pysot's resnet50.model, or
    torchvision's (docs/siamla.md, "Where trainings start").
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns the settings of the released code."""
    c = config.get_config()
    c.model.name = "siamcar"
    c.model.backbone = "resnet50"
    c.run.batch_size = 80
    c.optimizer.reference_batch = 80
    _mixtures.siamcar(c)
    return c
