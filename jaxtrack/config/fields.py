"""All settings: name, default, meaning, unit and range.

The defaults are the released SiamCAR, trained on pysot's schedule.
"""

from jaxtrack.config.data_fields import DATA_FIELDS
from jaxtrack.config.loss_fields import LOSS_FIELDS
from jaxtrack.config.network_fields import NETWORK_FIELDS
from jaxtrack.config.run_fields import RUN_FIELDS
from jaxtrack.config.tracking_fields import TRACKING_FIELDS

# A group of settings -> what it decides.
GROUPS = {
    "model": "The network.",
    "data": "Training pairs from packed folders (`jaxtrack pack`) and composed scenes.",
    "augment": "Augmentation of the two crops; the defaults are pysot's. Color, blur"
    " and everything from `augment.flip` on are probabilities. The loader shifts,"
    " scales and pads the crops; everything else runs on the device, inside the"
    " training step. An augmentation with probability 0 is not compiled.",
    "labels": "Which locations or anchors are positive, and their soft labels. Every"
    " assigner works with every network.",
    "loss": "The loss, except for what the tracker's family fixes.",
    "refine": "Refinement of proposals in training (CRACT only).",
    "optimizer": "The optimizer and its learning rate.",
    "run": "Length of the training, logging and checkpoints.",
    "tracking": "How a box is selected while tracking. Training does not read these"
    " settings: they can be changed for a trained checkpoint.",
    "online": "The discriminator that CRACT learns while tracking. Training does not"
    " read these settings.",
}

# One row a setting: the modules are read as tables.
FIELDS = NETWORK_FIELDS + DATA_FIELDS + LOSS_FIELDS + RUN_FIELDS + TRACKING_FIELDS
