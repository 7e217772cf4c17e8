"""Distillation loss from a teacher's maps, for networks that predict from points.

Hinton et al., Distilling the Knowledge in a Neural Network (arXiv:1503.02531), with
logistic outputs; the boxes are compared by GIoU.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.losses.quality import bce_with_logits, entropy
from jaxtrack.losses.reduce import global_count_share
from jaxtrack.losses.regression import giou_loss
from jaxtrack.ops import boxes

# Outputs that predict the quality of a box; a network has at most one of them.
_QUALITIES = ("centerness", "localization")


class TeacherMaps(NamedTuple):
    """A teacher's predictions at every cell of the student.

    Attributes:
      cls: probability of the target, `[B, H, W]`.
      xyxy: predicted boxes, `[B, H, W, 4]` xyxy, pixels of the student's search crop.
      quality: quality of the boxes, `[B, H, W]` in [0, 1]; None if not predicted.
    """

    cls: jax.Array
    xyxy: jax.Array
    quality: jax.Array | None


def target_logits(outputs: Mapping[str, jax.Array]) -> jax.Array:
    """Returns the logit of the target's probability, `[B, H, W]` float32.

    Args:
      outputs: "cls" `[B, H, W, C]`: one logit, or two, the second being the target's.
    """
    logits = outputs["cls"].astype(jnp.float32)
    return logits[..., -1] - (logits[..., 0] if logits.shape[-1] == 2 else 0)


def quality_logits(outputs: Mapping[str, jax.Array]) -> jax.Array | None:
    """Returns the logits of the boxes' quality, `[B, H, W]`, or None if there are none.

    Args:
      outputs: maps by name.
    """
    found = [outputs[name] for name in _QUALITIES if name in outputs]
    return found[0][..., 0].astype(jnp.float32) if found else None


def trust(
    teacher: TeacherMaps, xyxy: jax.Array, is_positive: jax.Array, *, power: float
) -> jax.Array:
    """Measures how well a teacher agrees with the label of each pair.

        t = a^power;  a = IoU of its best box with the target,
                      a = 1 - its best score where the crop does not show the target

    The best box is in the cell with the largest score, cls times quality.

    Args:
      teacher: its maps.
      xyxy: the targets, `[B, 4]` xyxy, pixels of the student's search crop.
      is_positive: `[B]` bool.
      power: 0 trusts the teacher everywhere.

    Returns:
      `[B]` in [0, 1].
    """
    score = teacher.cls * (1 if teacher.quality is None else teacher.quality)
    score = score.reshape(len(score), -1)
    best = jnp.argmax(score, axis=1)
    found = teacher.xyxy.reshape(len(score), -1, 4)
    found = jnp.take_along_axis(found, best[:, None, None], axis=1)[:, 0]
    agreement = jnp.where(
        is_positive, boxes.iou(found, xyxy), 1 - jnp.max(score, axis=1)
    )
    return jnp.clip(agreement, 0, 1) ** power


def distillation_loss(
    outputs: Mapping[str, jax.Array],
    teacher: TeacherMaps,
    trusted: jax.Array,
    *,
    points: jax.Array,
    weights: tuple[float, float, float] = (1.0, 1.0, 0.5),
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes the distillation loss of a student.

        loss = w0 cls + w1 reg + w2 quality
        cls = (mean_pos t KL(p, s) + mean_neg t KL(p, s)) / 2
        reg = mean_pos t (1 - GIoU),  quality = mean_pos t KL(q, r)

    p and q are the teacher's probability and quality, s and r the student's, t the
    trust in a pair; pos are the cells with p >= 1/2, neg the others. A mean over
    nothing is 0, and so is the loss of a student that predicts the same as its teacher.

    Args:
      outputs: of the student: "cls" `[B, H, W, 1 or 2]` logits, "ltrb" `[B, H, W, 4]`
        pixels of the search crop, optionally "centerness" or "localization"
        `[B, H, W, 1]` logits.
      teacher: its maps, taken as constants.
      trusted: t, `[B]`, see `trust`.
      points: position of each cell, `[H, W, 2]` xy, pixels of the search crop.
      weights: w0, w1, w2.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics "teach_cls", "teach_reg",
      "teach_quality" and "trust" (mean over pairs).
    """
    teacher, trusted = lax.stop_gradient((teacher, trusted))
    shown = jnp.broadcast_to(trusted[:, None, None], teacher.cls.shape)

    def share(values, cells):
        weight = jnp.where(cells, shown, 0)
        return global_count_share(values, weight, cells, axis_name=axis_name)

    is_target = teacher.cls >= 0.5
    cls = bce_with_logits(target_logits(outputs), teacher.cls) - entropy(teacher.cls)
    # Elsewhere boxes are meaningless, and so large that 0 times their loss is NaN.
    ltrb = outputs["ltrb"].astype(jnp.float32)
    ltrb, xyxy = (jnp.where(is_target[..., None], a, 0) for a in (ltrb, teacher.xyxy))
    reg = giou_loss(boxes.ltrb_to_xyxy(points, ltrb), xyxy)
    logits, quality = quality_logits(outputs), jnp.zeros([])
    if logits is not None and teacher.quality is not None:
        apart = bce_with_logits(logits, teacher.quality) - entropy(teacher.quality)
        quality = share(apart, is_target)
    metrics = {
        "teach_cls": (share(cls, is_target) + share(cls, ~is_target)) / 2,
        "teach_reg": share(reg, is_target),
        "teach_quality": quality,
        "trust": global_count_share(
            trusted, jnp.ones_like(trusted), jnp.ones_like(trusted), axis_name=axis_name
        ),
    }
    terms = metrics["teach_cls"], metrics["teach_reg"], quality
    loss = sum(weight * term for weight, term in zip(weights, terms, strict=True))
    return loss, metrics
