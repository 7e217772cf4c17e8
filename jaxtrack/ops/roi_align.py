"""RoIAlign: the features of boxes, pooled to one size."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxtrack.ops import interpolation


def roi_align(
    features: jax.Array,
    xyxy: jax.Array,
    *,
    output_size: int,
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = False,
    method: str = "matmul",
) -> jax.Array:
    """Pools each box's part of a feature map to P x P bins.

    A bin is the mean of g x g bilinear samples spread evenly over it. Along x, with
    the center of cell k at coordinate k,

        start = s x0,  bin = max(s x1 - s x0, 1) / P
        sample[p, i] = start + p bin + (i + 1/2) bin / g,  p < P,  i < g

    and likewise along y. A sample outside [-1, W] or [-1, H] is 0; others are
    clamped to [0, W - 1] and [0, H - 1]. Aligned, start is s x0 - 1/2 and nothing
    widens a box of less than one cell.

    He et al., Mask R-CNN (arXiv:1703.06870), section 3, with the conventions of its
    public implementations and a fixed number of samples.

    A box that is not finite gives zeros and has no gradient. One without width, or with
    x1 < x0, counts as one cell wide from x0 on; aligned, it is sampled as written, in
    one column or mirrored. Gradients are those of the equation.

    Args:
      features: `[H, W, C]`.
      xyxy: boxes, `[N, 4]` xyxy; cells after multiplication with `spatial_scale`.
      output_size: P, bins an axis.
      spatial_scale: s, cells in a unit of the boxes.
      sampling_ratio: g, samples in a bin an axis.
      aligned: whether the boxes count from cell 0's edge instead of its center.
      method: "matmul" weighs rows, then columns, as matrix products; "gather" reads
        each sample's four cells. They agree but for rounding.

    Returns:
      `[N, P, P, C]`, rows before columns, of the type of `features`.

    Raises:
      ValueError: for invalid shapes, sizes or an unknown method.
    """
    _check(features, xyxy)
    if output_size < 1 or sampling_ratio < 1:
        sizes = f"output_size={output_size}, sampling_ratio={sampling_ratio}"
        raise ValueError(f"sizes must be at least 1: {sizes}")
    places, is_inside = _samples(
        xyxy.astype(jnp.float32) * spatial_scale,
        jnp.array(features.shape[1::-1], jnp.float32),
        (output_size, sampling_ratio),
        aligned=aligned,
    )
    if method == "matmul":
        return _by_matmul(features, places, is_inside)
    if method == "gather":
        return _by_gather(features, places, is_inside)
    raise ValueError(f'method must be "matmul" or "gather", not {method!r}')


def pyramid_roi_align(
    features: jax.Array,
    xyxy: jax.Array,
    *,
    output_sizes: Sequence[int] = (6, 3, 1),
    **options,
) -> jax.Array:
    """Pools each box at several resolutions and concatenates the channels.

    Coarse poolings show the whole target, fine ones its parts. They are enlarged by
    nearest neighbor to the finest, since a convolution over space follows (C6). A bin
    of a level of P' is the mean of the (P / P')^2 bins of the finest level, P, that it
    covers: RoIAlign with g P / P' samples an axis, so that every level reads the same
    points. With g samples at each level a target of 8 cells, pooled to 1 bin of 2 x 2
    samples, would be 4 to 16 of its 81 cells.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.3.

    Args:
      features: `[H, W, C]`.
      xyxy: boxes, `[N, 4]` xyxy.
      output_sizes: bins an axis of each level; each divides the largest, P.
      **options: those of `roi_align`; `sampling_ratio` is the finest level's.

    Returns:
      `[N, P, P, L C]` of L levels: C channels a level, in the order of `output_sizes`.

    Raises:
      ValueError: if a size does not divide the largest one, or as `roi_align`.
    """
    largest = max(output_sizes, default=0)
    if any(size < 1 or largest % size for size in output_sizes) or not largest:
        raise ValueError(f"output_sizes {tuple(output_sizes)} must divide the largest")
    finest = roi_align(features, xyxy, output_size=largest, **options)
    levels = [_averaged(finest, size) for size in output_sizes]
    return jnp.concatenate(levels, axis=-1)


def to_cells(xyxy: jax.Array, *, stride: float, offset: float) -> jax.Array:
    """Converts boxes in an image to coordinates in its feature map.

        f = (x - offset) / stride

    The center of cell k has coordinate k, as `roi_align` takes it with its defaults.
    For pysot's ResNet, whose cell 0 has its center on pixel 7, offset is
    7.5 and stride 8.

    Args:
      xyxy: boxes, `[..., 4]` xyxy, pixels.
      stride: distance of neighboring cells, pixels.
      offset: the center of cell 0, pixels, on both axes.

    Returns:
      Boxes, `[..., 4]` xyxy, cells.
    """
    return (xyxy - offset) / stride


def _check(features, xyxy):
    """Raises ValueError unless there is a map and a list of boxes."""
    is_map = features.ndim == 3 and min(features.shape[:2]) > 0
    if not is_map or xyxy.ndim != 2 or xyxy.shape[1] != 4:
        shapes = f"{features.shape} and {xyxy.shape}"
        raise ValueError(
            f"features and xyxy must be [H, W, C] and [N, 4], not {shapes}"
        )


def _samples(boxes, wh, bins_samples, *, aligned):
    """Computes sample positions along x and y, and which of them lie on the map.

    Returns `[2, N, P, g]` coordinates in cells, moved onto the map, and booleans.
    """
    bins, samples = bins_samples
    is_finite = jnp.isfinite(boxes) & jnp.isfinite(jnp.tile(_size(boxes), 2))
    is_finite = jnp.all(is_finite, axis=1)
    boxes = jnp.where(is_finite[:, None], boxes, 0)
    start, size = (v.T[..., None, None] for v in (boxes[:, :2], _size(boxes)))
    if aligned:
        start = start - 0.5
    else:
        size = jnp.maximum(size, 1)
    bin_size = size / bins
    bin_index = jnp.arange(bins, dtype=jnp.float32)[None, None, :, None]
    inner = (jnp.arange(samples, dtype=jnp.float32) + 0.5)[None, None, None]
    # Summed in the order that others use: at the border, rounding can cost a sample.
    places = start + bin_index * bin_size + inner * bin_size / samples
    wh = wh[:, None, None, None]
    is_inside = (places >= -1) & (places <= wh) & is_finite[None, :, None, None]
    return jnp.clip(places, 0, wh - 1), is_inside


def _by_matmul(features, places, is_inside):
    """Weighs rows, then columns: bilinear weights and the mean are products of both."""
    height, width, channels = features.shape
    columns, rows = (
        _weights(places[axis], is_inside[axis], cells).astype(features.dtype)
        for axis, cells in enumerate((width, height))
    )
    # Rows first, for all boxes in one product of matrices that lie in memory as they
    # are. For the same reason every row of bins has its own copy of the weights of
    # the columns: it halved the time on a CPU.
    flat = features.reshape(height, width * channels)
    rows_done = jnp.einsum("nph,hk->npk", rows, flat, precision="highest")
    rows_done = rows_done.reshape(*rows.shape[:2], width, channels)
    columns = jnp.broadcast_to(columns[:, None], (*rows.shape[:2], *columns.shape[1:]))
    return jnp.einsum("npqw,npwc->npqc", columns, rows_done, precision="highest")


def _weights(places, is_inside, cells):
    """Returns the weight of each cell of an axis in each bin, `[N, P, cells]`."""
    centers = jnp.arange(cells, dtype=jnp.float32)[None, None, None]
    distance = places[..., None] - centers
    hats = jnp.maximum(1 - jnp.abs(distance), 0)
    return jnp.mean(jnp.where(is_inside[..., None], hats, 0), axis=2)


def _by_gather(features, places, is_inside):
    """Reads every sample from its four cells, and takes the mean of each bin."""
    _, boxes, bins, samples = places.shape
    grid = (boxes, bins, samples, bins, samples)
    x, y = places[0][:, None, None], places[1][:, :, :, None, None]
    points = jnp.stack([jnp.broadcast_to(x, grid), jnp.broadcast_to(y, grid)], axis=-1)
    is_on_map = is_inside[0][:, None, None] & is_inside[1][:, :, :, None, None]
    values = interpolation.bilinear(features, points.reshape(-1, 2))
    values = values.reshape(*grid, features.shape[2])
    return jnp.mean(jnp.where(is_on_map[..., None], values, 0), axis=(2, 4))


def _averaged(bins, size):
    """Puts into the bins of `size` x `size` blocks, `[N, P, P, C]`, their means."""
    number, largest, _, channels = bins.shape
    if size == largest:
        return bins
    each = largest // size
    blocks = bins.reshape(number, size, each, size, each, channels)
    means = jnp.mean(blocks, axis=(2, 4), keepdims=True)
    return jnp.broadcast_to(means, blocks.shape).reshape(bins.shape)


def _size(xyxy):
    """Measures width and height."""
    return xyxy[:, 2:] - xyxy[:, :2]
