"""The batch of pairs that crosses from the loader to the training step.

    z_image      uint8   [B, template, template, 3]  template crop, RGB
    x_image      uint8   [B, search, search, 3]      search crop, RGB
    z_xyxy       float32 [B, 4]  box of the target, px of the template crop, edge origin
    xyxy         float32 [B, 4]  box of the target, px of the search crop, edge origin
    is_positive  bool    [B]     False: the search crop does not show the target

In a negative pair `z_xyxy` frames the template's own target still; `xyxy` says where
the other object lies and must not be learned. Boxes are not clipped to their crops.
"""

import numpy as np

from jaxtrack.errors import InputError

Batch = dict[str, np.ndarray]

FIELDS = {
    "z_image": (np.uint8, 4),
    "x_image": (np.uint8, 4),
    "z_xyxy": (np.float32, 2),
    "xyxy": (np.float32, 2),
    "is_positive": (np.bool_, 1),
}


def check(batch: Batch) -> None:
    """Checks the fields, dtypes and shapes of a batch.

    Args:
      batch: see the module's text.

    Raises:
      ValueError: if a field is absent, unknown, or of another dtype or shape.
    """
    if set(batch) != set(FIELDS):
        raise ValueError(f"batch has fields {sorted(batch)}, needs {sorted(FIELDS)}")
    size = batch["xyxy"].shape[0]
    for name, (dtype, rank) in FIELDS.items():
        array = batch[name]
        if array.dtype != dtype or array.ndim != rank or array.shape[0] != size:
            raise ValueError(
                f"{name} is {array.dtype} {array.shape}, needs {np.dtype(dtype)} of"
                f" rank {rank} and {size} pairs"
            )
    for name in ("z_image", "x_image"):
        _, height, width, channels = batch[name].shape
        if height != width or channels != 3:
            raise ValueError(f"{name} {batch[name].shape} is not [B, side, side, 3]")
    for name in ("z_xyxy", "xyxy"):
        if batch[name].shape[1:] != (4,):
            raise ValueError(f"{name} {batch[name].shape} is not [B, 4]")


def shard(batch: Batch, num_devices: int) -> Batch:
    """Splits a batch into equal parts, one a device.

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
