"""Twins: objects that look like another one, as much as asked."""

import dataclasses

import numpy as np

from jaxtrack.data.composed import motion, sprites

_SIZE = 0.12  # Changes at most, where twins may differ most: of the logarithm of size,
_LIGHT = 0.25  # of brightness,
_HUE = 0.7  # of hue, radians,
_SHIFT = 0.5  # and of the places of texture and marking, rest units.


def twin(
    rng: np.random.Generator,
    target: sprites.Sprite,
    *,
    difference: float,
    rotation_angle: float = 0.26,
) -> sprites.Sprite:
    """Draws an object with another's outline, in another's place.

    It bends like the other one at other times, and turns a little on its own, but not
    in the first frame. Its size, hue, brightness and the places of texture and marking
    differ by random shares of `difference` times the most (12 %, 40 degrees, 25 %, half
    the object); at 1 every second one is a mirror image inside its outline, too.
    A cut-out keeps its video, or is mirrored.

    Args:
      rng: source of randomness; as many numbers are drawn whatever `difference` is.
      target: the other one.
      difference: how much they may differ, from 0, identical, to 1.
      rotation_angle: largest turn against the other one, half of it, radians.

    Returns:
      The object.
    """
    size, light, hue = rng.uniform(-1, 1, 3)
    texture_shift, marking_shift = _SHIFT * difference * rng.uniform(-1, 1, (2, 2))
    is_mirrored = bool(rng.random() < 0.5 * difference)
    turn = motion.random_drift(rng, [rotation_angle], period=(40, 160))(
        np.arange(len(target.centre))
    )[:, 0]
    marking = target.marking
    if marking is not None:
        marking = marking._replace(curve=marking.curve + marking_shift)
    colours = (1 + _LIGHT * difference * light) * hue_turn(_HUE * difference * hue)
    return dataclasses.replace(
        target,
        skin=_changed(target.skin, texture_shift, is_mirrored),
        matrix=motion.turned(turn - turn[0], 1.0, 1.0)
        @ target.matrix
        * np.exp(_SIZE * difference * size),
        ripple=target.ripple._replace(phase=rng.random(target.ripple.phase.shape)),
        marking=marking,
        tint=colours if target.tint is None else colours @ target.tint,
    )


def _changed(skin, shift, is_mirrored):
    """Moves and mirrors a texture within its outline, or mirrors a cut-out."""
    if isinstance(skin, sprites.Footage):
        return skin._replace(mirror=skin.mirror != is_mirrored)
    scale = skin.scale * (-1.0 if is_mirrored else 1.0, 1.0)
    return skin._replace(scale=scale, offset=skin.offset + shift * skin.scale)


def hue_turn(angle: float) -> np.ndarray:
    """Returns the rotation of RGB about the axis of grays (Rodrigues' formula).

    Args:
      angle: radians; a third of a turn takes red to green.

    Returns:
      `[3, 3]`; it leaves grays as they are.
    """
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
