"""CRACT: a Siamese RPN whose proposals are refined, identified and discriminated.

Fan and Ling, CRACT (arXiv:2011.12483). Sizes that the paper leaves to a supplement that
is not public are SPM-Tracker's (C7), crops those of SiamRPN++ (C16).
"""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from ml_collections import ConfigDict

from jaxtrack.assign import Assigner, make_assigner, regions
from jaxtrack.assign.proposals import refinement_labels, sample_proposals
from jaxtrack.losses import classification, reduce
from jaxtrack.losses import regression as regression_losses
from jaxtrack.models.necks import AdjustNeck, FuseNeck, PyramidNeck
from jaxtrack.models.refine import OFFSET_WEIGHTS, REFINEMENTS, Refiner
from jaxtrack.models.siamese import Forward, resized
from jaxtrack.models.two_stage import TwoStage
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes, grid, proposals
from jaxtrack.trackers import siamrpnpp
from jaxtrack.trackers.family import (
    Batch,
    Family,
    Loss,
    Outputs,
    Preset,
    WeightNames,
    backbone_names,
    backbone_of,
    choices,
    correlations,
    label_first,
    selection_settings,
)
from jaxtrack.tracking import two_stage

POOLINGS = {"pyramid": (6, 3, 1), "single": (6,)}
_PLACES = ("proposals", "aligned")
_REFINED = {"proposals": 4, "offsets": 4, "aligned": 4, "identity": 2}


def network(
    config: ConfigDict, *, search_size: int = 0, axis_name: str | None = None
) -> TwoStage:
    """Builds CRACT's network; see `jaxtrack.trackers.family.BuildNetwork`.

    The light design's refinement has a fifth of the width.
    """
    backbone, is_light = backbone_of(config)
    chosen = choices(
        config,
        correlation=correlations(config),
        refinement=REFINEMENTS,
        pooling=tuple(POOLINGS),
    )
    shared = {"axis_name": axis_name, "dtype": jnp.dtype(config.model.dtype)}
    if is_light:
        rpn = siamrpnpp.light(backbone, chosen["correlation"], **shared)
        fuse = PyramidNeck(48, dtype=shared["dtype"])
        widths = {"features": 48, "hidden": 128}
    else:
        # The RPN sees phi_4 alone (C3), so there are no levels to weigh.
        rpn = siamrpnpp.released(backbone, weighted=False, **shared)
        rpn = rpn.clone(neck=AdjustNeck(last=1, **shared))
        fuse, widths = FuseNeck(**shared), {}
    built = TwoStage(
        backbone=rpn.backbone,
        neck=rpn.neck,
        correlation=rpn.correlation,
        head=rpn.head,
        fuse=fuse,
        refiner=Refiner(
            refinement=chosen["refinement"],
            output_sizes=POOLINGS[chosen["pooling"]],
            stride=8.0,
            offset=backbone.offset,
            dtype=shared["dtype"],
            **widths,
        ),
        template_cells=rpn.template_cells,
        geometry=rpn.geometry,
        anchors=rpn.anchors,
    )
    return resized(built, search_size) if search_size else built


class Sample(Protocol):
    """Samples the proposals that are refined in training."""

    def __call__(self, maps: Outputs, batch: Batch) -> jax.Array:
        """Returns `[B, N, 4]` xyxy, pixels of the search crop, from the RPN's maps."""


def make_sample(config: ConfigDict, network: nn.Module) -> Sample:
    """Returns a sampler of some of the RPN's best proposals, balanced by their label.

    Args:
      config: the config; its group `refine` is read.
      network: the network whose anchors are decoded.
    """
    anchors = anchor_boxes.tile(grid.points(network.geometry), network.anchors)
    refine = config.refine

    def of_one(key, cls, deltas, xyxy, is_positive):
        found = proposals.decode_maps(deltas, anchors)
        best = proposals.best(
            found,
            proposals.target_probability(cls).reshape(-1),
            count=refine.train_proposals,
            iou_threshold=refine.train_nms_iou,
            candidates=8 * refine.train_proposals,
        )
        return sample_proposals(
            jax.random.fold_in(key, 2),
            found[best],
            xyxy,
            is_positive,
            count=refine.samples,
            num_positives=refine.positives,
            iou_threshold=refine.positive_iou,
            num_jittered=refine.jittered,
        )

    def sample(maps: Outputs, batch: Batch) -> jax.Array:
        truth = batch["xyxy"], batch["is_positive"]
        return jax.vmap(of_one)(batch["key"], maps["cls"], maps["deltas"], *truth)

    return sample


def make_forward(config: ConfigDict, network: nn.Module) -> Forward:
    """Returns predict, sample, refine; see `jaxtrack.models.siamese.Forward`."""
    sample = make_sample(config, network)

    def forward(network, batch, *, train, train_backbone):
        modes = {"train": train, "train_backbone": train_backbone}
        z = network.encode_template(batch["z_image"], batch["z_xyxy"], **modes)
        x = network.encode_search(batch["x_image"], **modes)
        maps = network.predict(z, x, train=train)
        places = sample(jax.tree.map(lax.stop_gradient, maps), batch)
        refined = network.refine(z, x, places)
        del refined["pooled"]
        return {**maps, "proposals": places, **refined}

    return forward


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
    reduction: str = "balanced",
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
      num_positives: largest number of positive proposals an image, for each of the two.
      classifies_aligned: whether the identifier classifies aligned boxes or proposals.
      hard_negatives: see `siamrpnpp_loss`.
      reduction: see `siamrpnpp_loss`.
      cls_weights: see `siamrpnpp_loss`.
      weights: w0 to w3.
      distance: see `siamrpnpp_loss`.
      axis_name: mapped axis of devices that share the batch.

    Returns:
      This device's share of the loss, and of the metrics of `siamrpnpp_loss` and
      "refine", "identity", "refined_iou" (of positive proposals, aligned),
      "proposal_iou" (of the same before), "refined_positives" (proposals an example)
      and "identified" (share of proposals classified correctly).

    Raises:
      ValueError: for shapes that disagree.
    """
    loss, metrics = siamrpnpp.siamrpnpp_loss(
        outputs,
        xyxy,
        labels,
        anchors=anchors,
        hard_negatives=hard_negatives,
        reduction=reduction,
        cls_weights=cls_weights,
        weights=weights[:2],
        distance=distance,
        axis_name=axis_name,
    )
    _check(outputs, xyxy)
    limits = {"iou_threshold": iou_threshold, "num_positives": num_positives}
    metrics |= _refinement(
        {name: outputs[name].astype(jnp.float32) for name in _REFINED},
        reduce.finite_boxes(xyxy),
        offset_weights,
        classified="aligned" if classifies_aligned else "proposals",
        label=jax.vmap(partial(refinement_labels, **limits)),
        share=partial(reduce.global_mean_share, axis_name=axis_name),
    )
    loss += weights[2] * metrics["refine"] + weights[3] * metrics["identity"]
    return loss, metrics | {"loss": loss}


def _refinement(refined, xyxy, offset_weights, *, classified, label, share):
    """Computes terms and metrics of proposals, with no gradient to their boxes."""
    places = {name: lax.stop_gradient(refined[name]) for name in _PLACES}
    # An empty box means that the crop does not show the target.
    is_shown = jnp.ones(len(xyxy), bool)
    positive = label(places["proposals"], xyxy, is_shown) == regions.POSITIVE
    identities = label(places[classified], xyxy, is_shown)
    # Elsewhere the values are meaningless and may not even be finite.
    offsets = jnp.where(positive[..., None], refined["offsets"], 0)
    places = {k: jnp.where(positive[..., None], v, 0) for k, v in places.items()}
    boxes_of_images = xyxy[:, None]
    target = anchor_boxes.encode(
        places["proposals"], boxes_of_images, weights=offset_weights
    )
    refine = regression_losses.smooth_l1(offsets, target)
    entropy = classification.softmax_cross_entropy(refined["identity"], identities)
    is_labeled = identities != regions.IGNORE
    says_target = refined["identity"][..., 1] > refined["identity"][..., 0]
    is_right = says_target == (identities == regions.POSITIVE)
    counts = jnp.sum(positive, axis=1)
    return {
        "refine": share(refine, positive),
        "identity": share(entropy, is_labeled),
        "refined_iou": share(boxes.iou(places["aligned"], boxes_of_images), positive),
        "proposal_iou": share(
            boxes.iou(places["proposals"], boxes_of_images), positive
        ),
        "refined_positives": share(counts, jnp.ones_like(counts)),
        "identified": share(is_right, is_labeled),
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


def make_loss(
    config: ConfigDict, network: nn.Module, *, assign: Assigner | None = None
) -> Loss:
    """Builds CRACT's loss; see `jaxtrack.trackers.family.BuildLoss`."""
    assign = assign or make_assigner(config, network.geometry, anchors=network.anchors)
    total = partial(
        cract_loss,
        weights=tuple(config.loss.weights)[:2] + tuple(config.refine.loss_weights),
        offset_weights=OFFSET_WEIGHTS,
        iou_threshold=config.refine.positive_iou,
        num_positives=config.refine.positives,
        classifies_aligned=network.refiner.refinement == "cascade",
        **siamrpnpp.anchor_options(config, network),
    )
    return label_first(assign, total)


def names(config: ConfigDict) -> WeightNames:
    """Returns SiamRPN++'s names, and ours for the refinement (no public code)."""
    is_light = backbone_of(config)[1]
    return backbone_names(config, () if is_light else siamrpnpp.TORCH_NAMES)


PRESETS = {
    "cract": Preset(
        settings=selection_settings("clean", 0.0, 0.0, 1.0),
        source="Fan and Ling, CRACT (arXiv:2011.12483)",
        note="For every dataset: the paper mentions neither a penalty nor a window.",
    )
}
FAMILY = Family(
    network=network,
    loss=make_loss,
    forward=make_forward,
    tracker=two_stage.make,
    names=names,
    presets=PRESETS,
)
