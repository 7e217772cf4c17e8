"""CRACT's loss."""

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.assign import regions
from jaxtrack.assign.proposals import refinement_labels
from jaxtrack.losses import classification
from jaxtrack.losses import regression as regression_losses
from jaxtrack.losses.totals import parts
from jaxtrack.losses.totals.siamrpnpp import siamrpnpp_loss
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes

_REFINED = {"proposals": 4, "offsets": 4, "aligned": 4, "identity": 2}
_PLACES = ("proposals", "aligned")


def cract_loss(
    outputs: Mapping[str, jax.Array],
    xyxy: jax.Array,
    labels: jax.Array,
    *,
    anchors: jax.Array,
    offset_weights: tuple[float, float, float, float] = (5.0, 5.0, 10.0, 10.0),
    iou_threshold: float = 0.5,
    num_positives: int = 16,
    classifies_aligned: bool = True,
    hard_negatives: int = 0,
    cls_weights: tuple[float, float, float] = (0.5, 0.5, 0.0),
    weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0),
    distance: str = "smooth_l1",
    axis_name: str | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Computes the loss of RPN, box regression and identifier.

        loss = w0 cls + w1 reg + w2 refine + w3 identity
        refine = mean_pos smooth_l1(r, r*),  identity = mean CE(v, IoU(p~) > 1/2)

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.4, with all weights 1; `cls` and
    `reg` are those of `siamrpnpp_loss`, by the smooth L1 distance (C17). Proposals are
    positive for the regression by their own overlap, for the identifier by that of the
    box that the regression made of them (C4).

    Args:
      outputs: "cls" `[B, H, W, A, 2]` and "deltas" `[B, H, W, A, 4]` of the RPN, and of
        N refined proposals "proposals" `[B, N, 4]` and "aligned" `[B, N, 4]` xyxy,
        pixels of the search crop, "offsets" `[B, N, 4]`, "identity" `[B, N, 2]` logits.
      xyxy: the target, `[B, 4]` xyxy, pixels of the search crop; empty where the crop
        does not show it, when all proposals are negative.
      labels: of the anchors, `[B, H, W, A]` int32 of POSITIVE, NEGATIVE, IGNORE.
      anchors: `[H, W, A, 4]` xyxy, pixels of the search crop.
      offset_weights: factors of the offsets (C8); see `jaxtrack.ops.anchors.encode`.
      iou_threshold: a proposal is positive above.
      num_positives: of an image's proposals so many are positive at most, for either.
      classifies_aligned: whether the identifier saw aligned boxes, or the proposals.
      hard_negatives: see `siamrpnpp_loss`.
      cls_weights: see `siamrpnpp_loss`.
      weights: w0 to w3.
      distance: see `siamrpnpp_loss`.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics of `siamrpnpp_loss` and
      "refine", "identity", "refined_iou" (of positive proposals, aligned),
      "proposal_iou" (of the same before), "refined_positives" (proposals an example)
      and "identified" (share of proposals classified rightly).

    Raises:
      ValueError: for shapes that disagree.
    """
    loss, metrics = siamrpnpp_loss(
        *(outputs, xyxy, labels),
        anchors=anchors,
        hard_negatives=hard_negatives,
        cls_weights=cls_weights,
        weights=weights[:2],
        distance=distance,
        axis_name=axis_name,
    )
    _check(outputs, xyxy)
    limits = {"iou_threshold": iou_threshold, "num_positives": num_positives}
    metrics |= _refinement(
        {name: outputs[name].astype(jnp.float32) for name in _REFINED},
        parts.finite_boxes(xyxy),
        offset_weights,
        classified="aligned" if classifies_aligned else "proposals",
        label=jax.vmap(partial(refinement_labels, **limits)),
        share=partial(parts.share, axis_name=axis_name),
    )
    loss += weights[2] * metrics["refine"] + weights[3] * metrics["identity"]
    return loss, metrics | {"loss": loss}


def _refinement(refined, xyxy, offset_weights, *, classified, label, share):
    """Computes terms and metrics of proposals, whose places have no slope."""
    places = {name: lax.stop_gradient(refined[name]) for name in _PLACES}
    # An empty box says itself that no target is shown.
    is_shown = jnp.ones(len(xyxy), bool)
    positive = label(places["proposals"], xyxy, is_shown) == regions.POSITIVE
    identities = label(places[classified], xyxy, is_shown)
    # Elsewhere numbers mean nothing, and may not even be finite.
    offsets = jnp.where(positive[..., None], refined["offsets"], 0)
    places = {k: jnp.where(positive[..., None], v, 0) for k, v in places.items()}
    boxes_of_images = xyxy[:, None]
    target = anchor_boxes.encode(
        places["proposals"], boxes_of_images, weights=offset_weights
    )
    refine = regression_losses.smooth_l1(offsets, target)
    entropy = classification.softmax_cross_entropy(refined["identity"], identities)
    is_labelled = identities != regions.IGNORE
    says_target = refined["identity"][..., 1] > refined["identity"][..., 0]
    is_right = says_target == (identities == regions.POSITIVE)
    counts = jnp.sum(positive, axis=1)
    return {
        "refine": share(refine, positive),
        "identity": share(entropy, is_labelled),
        "refined_iou": share(boxes.iou(places["aligned"], boxes_of_images), positive),
        "proposal_iou": share(
            boxes.iou(places["proposals"], boxes_of_images), positive
        ),
        "refined_positives": share(counts, jnp.ones_like(counts)),
        "identified": share(is_right, is_labelled),
    }


def _check(outputs, xyxy):
    """Raises unless there are as many refined values as there are proposals."""
    if missing := [name for name in _REFINED if name not in outputs]:
        raise ValueError(f"outputs lack {missing}: they have {sorted(outputs)}")
    shapes = {name: outputs[name].shape for name in _REFINED}
    lead = outputs["proposals"].shape[:2]
    expected = {name: (*lead, size) for name, size in _REFINED.items()}
    if shapes != expected or lead[0] != len(xyxy):
        raise ValueError(f"refined outputs {shapes} and boxes {xyxy.shape} disagree")
