"""The demo: the small tracker, trained on composed scenes for a few minutes.

Paper: none; see `siamcar_lite0`.
Run: make demo
Cost: a few minutes of a CPU.
Score: printed at the end; not meaningful, since the scenes are composed.
Differs: from `siamcar_lite0` only in the number of epochs.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_lite0


def get_config() -> ConfigDict:
    """Returns `siamcar_lite0` on scenes composed of scikit-image's photographs."""
    c = siamcar_lite0.get_config()
    c.run.num_epochs = 5
    c.optimizer.warmup_epochs = 1.0
    c.optimizer.backbone_from_epoch = 5.0  # Never.
    return c
