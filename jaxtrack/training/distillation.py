"""Trained trackers that teach: their maps of a batch, beside the labels."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from flax import linen as nn
from jax import lax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.losses import distillation
from jaxtrack.losses.distillation import TeacherMaps
from jaxtrack.ops import boxes, grid, regrid
from jaxtrack.ops.grid import Geometry
from jaxtrack.ops.preprocess import Preprocessing, normalize
from jaxtrack.trackers import (
    describe,
    family_of,
    folded,
    network_of,
    with_preprocessing,
)
from jaxtrack.trackers.family import Loss
from jaxtrack.training import inference
from jaxtrack.weights.digests import hash_arrays

# Share by which a teacher's search crop may show more or less than the student's.
_ROOM = 0.02


class Teacher(NamedTuple):
    """A trained network that predicts from points.

    Attributes:
      name: as the settings name it.
      network: see `jaxtrack.models.siamese.Siamese`.
      variables: its parameters and statistics, which stay as they are.
      preprocessing: what it expects of an image.
      digest: SHA-256 of its variables.
    """

    name: str
    network: nn.Module
    variables: Any
    preprocessing: Preprocessing
    digest: str


def load(config: ConfigDict, network: nn.Module) -> tuple[Teacher, ...]:
    """Reads the teachers that the settings name.

    Args:
      config: the student's settings; `loss.teachers` is read.
      network: of the student, for the crops of training.

    Returns:
      The teachers, in the order of the settings.

    Raises:
      InputError: one is missing or damaged, has anchors, or sees other crops; or the
        student has anchors.
    """
    names = config.loss.teachers
    if names and network.anchors:
        raise InputError(
            f"config.loss.teachers: {describe(config)} has anchors: teachers teach "
            "trackers that predict from points; leave them out"
        )
    return tuple(_load(name, config, network.geometry) for name in names)


def _load(name, config, geometry):
    """Reads one teacher."""
    where = f"config.loss.teachers: {name}"
    try:
        loaded = inference.load_for_inference(name)
    except InputError as fault:
        raise InputError(f"config.loss.teachers: {fault}") from fault
    own = with_preprocessing(loaded.config)
    if own.data.context != config.data.context:
        raise InputError(
            f"{where}: its crops have a context of {own.data.context:g}, the student's "
            f"config.data.context is {config.data.context:g}: they must be the same"
        )
    network = _fitted(network_of(own), own, geometry)
    if network.anchors:
        raise InputError(
            f"{where} is {describe(own)}, which has anchors: name a tracker that "
            "predicts from points"
        )
    return Teacher(
        name=name,
        network=network,
        variables=folded(own, loaded.variables),
        preprocessing=config_lib.preprocessing(own),
        digest=hash_arrays(loaded.variables),
    )


def _fitted(network, config, student):
    """Returns the network for search crops that show as much as the student's."""
    own = network.geometry
    wanted = student.search_size * own.template_size / student.template_size
    if abs(own.search_size / wanted - 1) <= _ROOM:
        return network
    return family_of(config).network(config, search_size=round(wanted))


def provenance(teachers: Sequence[Teacher]) -> dict[str, Any]:
    """Returns what a checkpoint keeps of its teachers: name -> digest, if any.

    Args:
      teachers: of the training.
    """
    return {"teachers": {one.name: one.digest for one in teachers}} if teachers else {}


def teach(
    loss: Loss, teachers: Sequence[Teacher], *, config: ConfigDict, network: nn.Module
) -> Loss:
    """Adds to a loss of labels how far the network is from its teachers.

    Every teacher sees the crops after augmentation, prepared as it expects them, and
    has a term of its own (`losses.distillation.distillation_loss`); the mean of the
    terms is added. Teachers have no gradient.

    Args:
      loss: of the labels.
      teachers: none leaves the loss as it is.
      config: the student's settings; those of `loss` are read.
      network: the student.

    Returns:
      The loss, with the means of the teachers' metrics.
    """
    if not teachers:
        return loss
    geometry = network.geometry
    looks = [maps_of(teacher, geometry) for teacher in teachers]
    power = float(config.loss.teacher_trust)
    options = {"points": grid.points(geometry)}
    options["weights"] = tuple(config.loss.teacher_weights)

    def taught(outputs, batch, *, axis_name=None):
        value, metrics = loss(outputs, batch, axis_name=axis_name)
        positive, xyxy = batch["is_positive"], batch["xyxy"]
        terms = []
        for look in looks:
            maps = look(batch["z_image"], batch["x_image"])
            trusted = distillation.trust(maps, xyxy, positive, power=power)
            terms.append(
                distillation.distillation_loss(
                    outputs, maps, trusted, axis_name=axis_name, **options
                )
            )
        added, told = jax.tree.map(lambda *parts: sum(parts) / len(parts), *terms)
        return value + added, {**metrics, **told, "loss": value + added}

    return taught


def maps_of(
    teacher: Teacher, geometry: Geometry
) -> Callable[[jax.Array, jax.Array], TeacherMaps]:
    """Returns how a teacher looks at a student's crops.

    Args:
      teacher: the teacher.
      geometry: of the student.

    Returns:
      `(z_image [B, z, z, 3], x_image [B, x, x, 3] uint8) -> TeacherMaps`, without
      gradient.
    """
    own = teacher.network.geometry
    line = regrid.line_in(own, geometry)

    def prepared(image, size):
        image = regrid.resample_crop(image, size, line.scale)
        return normalize(image, teacher.preprocessing)

    def look(z_image: jax.Array, x_image: jax.Array) -> TeacherMaps:
        z, x = prepared(z_image, own.template_size), prepared(x_image, own.search_size)
        outputs = teacher.network.apply(teacher.variables, z, x)
        xyxy = boxes.ltrb_to_xyxy(grid.points(own), outputs["ltrb"])
        # From the middle of its search crop to the middle of the student's.
        xyxy = geometry.search_size / 2 + (xyxy - own.search_size / 2) * line.scale
        quality = distillation.quality_logits(outputs)
        maps = TeacherMaps(
            cls=jax.nn.sigmoid(distillation.target_logits(outputs)),
            xyxy=xyxy,
            quality=None if quality is None else jax.nn.sigmoid(quality),
        )
        return lax.stop_gradient(
            jax.tree.map(lambda m: regrid.resample_map(m, own, geometry), maps)
        )

    return look
