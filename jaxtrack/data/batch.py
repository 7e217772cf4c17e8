"""The batch of pairs that the loader passes to the training step.

    z_image      uint8   [B, template, template, 3]  template crop, RGB
    x_image      uint8   [B, search, search, 3]      search crop, RGB
    z_xyxy       float32 [B, 4]  box of the target, px of the template crop, edge origin
    xyxy         float32 [B, 4]  box of the target, px of the search crop, edge origin
    is_positive  bool    [B]     False: the search crop does not show the target
    is_labeled   bool    [B]     False: only teachers tell what the search crop shows;
                                 left out if no training data are without labels

In a negative pair `z_xyxy` is still the template's own target; `xyxy` is the box of the
other object, which must not be learned. Boxes are not clipped to their crops. Without
labels the boxes are an arbitrary window of a photograph, seen in both crops.
"""

import numpy as np

from jaxtrack.errors import InputError

Batch = dict[str, np.ndarray]


def shard(batch: Batch, num_devices: int) -> Batch:
    """Splits a batch into equal parts, one per device.

    Args:
      batch: arrays `[B, ...]`.
      num_devices: number `D` of parts.

    Returns:
      Views `[D, B / D, ...]` of the same arrays.

    Raises:
      InputError: if `B` is not a multiple of `D`.
    """
    size = batch["xyxy"].shape[0]
    if size % num_devices:
        raise InputError(
            f"a batch of {size} pairs cannot be split over {num_devices} devices: "
            f"make batch_size a multiple of {num_devices}"
        )
    return {
        name: array.reshape(num_devices, size // num_devices, *array.shape[1:])
        for name, array in batch.items()
    }
