"""CRACT on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Fan and Ling, CRACT (arXiv:2011.12483).
Run: jaxtrack train --config=cract_lite0 --workdir=runs/cract_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost: minutes of a CPU; not timed separately.
Score: AUC 0.594 +- 0.004 on 66 sequences in two folds, 6,400 pairs; 0.597 +- 0.011 with
    a single level of pooling (docs/cract.md).
Differs: data, schedule and RPN are those of `siamrpnpp_lite0`. Half as many proposals
    are refined in training; a narrower discriminator learns from fewer frames in
    tracking.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamrpnpp_lite0


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_lite0` with a refinement."""
    c = siamrpnpp_lite0.get_config()
    c.model.name = "cract"
    c.refine.train_proposals = 32
    c.refine.samples = 16
    c.refine.positives = 8
    c.tracking.refined_window = 0.3
    c.online.channels = 32
    c.online.hidden = 64
    c.online.groups = 6
    return c
