"""Tests for jaxtrack.ops.roi_align."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops.roi_align import pyramid_roi_align, roi_align, to_cells
from tests.gradients import check_gradients

METHODS = ["matmul", "gather"]
# Row 0 is 0, 1, 2, 3; row 1 is 10, 11, 12, 13; row 2 is 20, 21, 22, 23.
MAP = (10 * jnp.arange(3.0)[:, None] + jnp.arange(4.0)[None])[..., None]
INF, NAN = np.inf, np.nan
STATIC = ("output_size", "spatial_scale", "sampling_ratio", "aligned", "method")
# Eagerly, each operation is compiled alone.
jitted = jax.jit(roi_align, static_argnames=STATIC)


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


def random_map(height=7, width=9, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((height, width, channels), np.float32)


def boxes_of_all_kinds(height=7, width=9):
    """Boxes inside, across and beyond the border, tiny, huge, flat and inverted."""
    rng = np.random.default_rng(1)
    low = rng.uniform(-4, [width, height], (12, 2))
    size = rng.uniform(0.05, 8, (12, 2))
    chosen = [
        [0, 0, width, height],
        [-0.5, -0.5, width - 0.5, height - 0.5],
        [-9.3, -8.1, 2 * width, 3 * height],
        [3.2, 4.1, 3.21, 4.13],
        [2.3, 1.6, 2.3, 5.9],
        [5.2, 4.7, 1.9, 2.2],
        [width + 3.1, 1.2, width + 7.2, 4.4],
    ]
    boxes = np.concatenate([np.concatenate([low, low + size], axis=1), chosen])
    return boxes.astype(np.float32)


def numpy_roi_align(x, boxes, bins, samples, aligned):
    """The definition in float64, one sample at a time."""
    height, width, channels = x.shape
    result = np.zeros((len(boxes), bins, bins, channels))
    for n, box in enumerate(boxes.astype("f8") - (0.5 if aligned else 0)):
        wide, high = box[2] - box[0], box[3] - box[1]
        if not aligned:
            wide, high = max(wide, 1), max(high, 1)
        for p, q, i, j in np.ndindex(bins, bins, samples, samples):
            v = box[1] + high * (p + (i + 0.5) / samples) / bins
            u = box[0] + wide * (q + (j + 0.5) / samples) / bins
            if not (-1 <= v <= height and -1 <= u <= width):
                continue
            v, u = np.clip(v, 0, height - 1), np.clip(u, 0, width - 1)
            rows = np.maximum(0, 1 - np.abs(v - np.arange(height)))
            columns = np.maximum(0, 1 - np.abs(u - np.arange(width)))
            result[n, p, q] += rows @ np.tensordot(columns, x, (0, 1)) / samples**2
    return result


def pool(boxes, method, x=MAP, **options):
    options = {"output_size": 1, "sampling_ratio": 1, **options}
    boxes = jnp.asarray(boxes, jnp.float32)
    return np.asarray(jitted(x, boxes, method=method, **options))


def test_by_hand(method):
    # Bins of one cell with samples at 0.5 and 1.5 along both axes: 10 y + x.
    bins = pool([[0, 0, 2, 2]], method, output_size=2)
    np.testing.assert_allclose(bins[0, ..., 0], [[5.5, 6.5], [15.5, 16.5]])
    # Twice as wide as high: x at 0.75 and 2.25, y at 0.5 and 1.5.
    bins = pool([[0, 0, 3, 2]], method, output_size=2)
    np.testing.assert_allclose(bins[0, ..., 0], [[5.75, 7.25], [15.75, 17.25]])
    # In half-cell units the same box is twice as large.
    half = pool([[0, 0, 6, 4]], method, output_size=2, spatial_scale=0.5)
    np.testing.assert_array_equal(half, bins)


def test_a_box_is_at_least_a_cell_wide_unless_aligned(method):
    # (1, 1) to (1, 1) is widened to (2, 2), whose middle is (1.5, 1.5); aligned it is
    # the point (0.5, 0.5). (2, 1) to (1, 2.5): from 2 to 3, at (2.5, 1.75), or
    # aligned between 1.5 and 0.5, at (1, 1.25).
    boxes = [[1, 1, 1, 1], [2, 1, 1, 2.5]]
    np.testing.assert_allclose(pool(boxes, method).ravel(), [16.5, 20])
    aligned = pool(boxes, method, aligned=True).ravel()
    np.testing.assert_allclose(aligned, [5.5, 13.5])


def test_an_inverted_box_is_mirrored_only_if_aligned(method):
    boxes, options = [[0.5, 0.5, 3, 2.5], [3, 0.5, 0.5, 2.5]], {"output_size": 2}
    right, inverted = pool(boxes, method, aligned=True, **options)
    np.testing.assert_allclose(inverted, right[:, ::-1], rtol=1e-6)
    _, inverted = pool(boxes, method, **options)
    # From 3 on, one cell wide: x at 3.25 and 3.75, moved onto 3; y at 1 and 2.
    np.testing.assert_allclose(inverted[..., 0], [[13, 13], [23, 23]])


def test_the_border_by_hand(method):
    # One sample, in the middle of a box of 2 x 2 cells. The map is 4 wide, 3 high:
    # samples up to one cell beyond the outer centers count and are moved onto them.
    def at(x, y):
        return float(pool([[x - 1, y - 1, x + 1, y + 1]], method)[0, 0, 0, 0])

    assert [at(-1, 1), at(4, 1), at(2, -1), at(2, 3)] == [10, 13, 2, 22]
    assert [at(-1, -1), at(4, 3)] == [0, 23]
    beyond = 1 / 1024  # A power of two, so that no place is rounded.
    assert at(-1 - beyond, 1) == at(4 + beyond, 1) == 0
    assert at(2, -1 - beyond) == at(2, 3 + beyond) == 0


def test_samples_outside_count_as_zeros(method):
    # x at -2, which is outside, and at 0; y at 0.25 and 0.75: half of 10 * 0.5.
    assert pool([[-3, 0, 1, 1]], method, sampling_ratio=2).item() == 2.5


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize(("bins", "samples"), [(1, 1), (4, 3)])
def test_matches_definition(method, aligned, bins, samples):
    x, boxes = random_map(), boxes_of_all_kinds()
    values = pool(
        boxes, method, x, output_size=bins, sampling_ratio=samples, aligned=aligned
    )
    expected = numpy_roi_align(x, boxes, bins, samples, aligned)
    # Places err by 1e-6 cells, slopes of the map are up to 5.
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5)


def test_narrow_maps_match_definition(method):
    for shape in ((1, 1), (1, 6), (5, 1)):
        x, boxes = random_map(*shape), boxes_of_all_kinds(*shape)
        values = pool(boxes, method, x, output_size=2, sampling_ratio=2)
        expected = numpy_roi_align(x, boxes, 2, 2, False)
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5)


def test_all_variants_agree(variant, method):
    x, boxes = random_map(), boxes_of_all_kinds()
    fn = partial(roi_align, output_size=3, method=method)
    expected = numpy_roi_align(x, boxes, 3, 2, False)
    np.testing.assert_allclose(variant(fn)(x, boxes), expected, rtol=0, atol=1e-5)


def onnx_roi_align(x, boxes, bins, samples, aligned):
    """Runs the operator RoiAlign of ONNX, opset 16, as its reference defines it."""
    onnx = pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    kinds = {"X": onnx.TensorProto.FLOAT, "boxes": onnx.TensorProto.FLOAT}
    kinds |= {"batch": onnx.TensorProto.INT64}
    attributes = {"output_height": bins, "output_width": bins, "mode": "avg"}
    attributes |= {"sampling_ratio": samples, "spatial_scale": 1.0}
    half = "half_pixel" if aligned else "output_half_pixel"
    attributes["coordinate_transformation_mode"] = half
    node = onnx.helper.make_node("RoiAlign", list(kinds), ["Y"], **attributes)
    info = onnx.helper.make_tensor_value_info
    inputs = [info(name, kind, None) for name, kind in kinds.items()]
    outputs = [info("Y", onnx.TensorProto.FLOAT, None)]
    graph = onnx.helper.make_graph([node], "graph", inputs, outputs)
    opsets = [onnx.helper.make_opsetid("", 16)]
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    batch = np.zeros(len(boxes), np.int64)
    inputs = {"X": x.transpose(2, 0, 1)[None], "boxes": boxes, "batch": batch}
    (y,) = reference.ReferenceEvaluator(model).run(None, inputs)
    return y.transpose(0, 2, 3, 1)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize(("bins", "samples"), [(1, 1), (3, 2), (6, 3)])
def test_matches_onnx(bins, samples, aligned):
    x, boxes = random_map(channels=2), boxes_of_all_kinds()
    values = pool(
        boxes, "matmul", x, output_size=bins, sampling_ratio=samples, aligned=aligned
    )
    expected = onnx_roi_align(x, boxes, bins, samples, aligned)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5)


def test_the_border_is_onnxs():
    """Samples exactly at -1 and at H or W count; a little further they do not."""
    x, middles = random_map(4, 4), [-1.0, 4.0, -1.0 - 2**-10, 4.0 + 2**-10]
    boxes = [[u - 1, v - 1, u + 1, v + 1] for u in middles for v in middles]
    boxes = np.array(boxes, np.float32)
    values = pool(boxes, "matmul", x)
    expected = onnx_roi_align(x, boxes, 1, 1, False)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6)
    assert np.count_nonzero(np.any(values, axis=-1)) == 4


def test_methods_agree_in_values_and_slopes():
    x, boxes = random_map(channels=4), jnp.asarray(boxes_of_all_kinds())
    target = random_map(6, 6, 4, seed=2)

    def loss(x, boxes, method):
        values = roi_align(x, boxes, output_size=6, method=method)
        return jnp.sum(values * target[None]), values

    run = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True), static_argnums=2)
    # Kept off whole cells, where the slopes by boxes jump.
    boxes = boxes.at[12:15].add(0.013)
    (matmul, gather) = (run(x, boxes, method) for method in METHODS)
    for a, b in zip(jax.tree.leaves(matmul), jax.tree.leaves(gather), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(matmul[1], gather[1], rtol=0, atol=1e-5)


def test_whole_cells_may_be_moved(method):
    x, boxes = random_map(8, 8), np.array([[1.2, 0.7, 3.9, 3.1]], np.float32)
    moved = np.zeros((12, 13, 3), np.float32)
    moved[3:11, 5:13] = x
    step = np.array([[5, 3, 5, 3]], np.float32)
    values, after = (
        pool(b, method, m, output_size=3, sampling_ratio=2)
        for b, m in ((boxes, x), (boxes + step, moved))
    )
    np.testing.assert_allclose(after, values, rtol=0, atol=1e-5)


@pytest.mark.parametrize("aligned", [False, True])
def test_a_plane_is_read_at_the_bins_centers(method, aligned):
    rows, columns = np.mgrid[:9, :11].astype(np.float32)
    plane = np.stack([np.full_like(rows, 7), 2 * columns - 3 * rows], axis=-1)
    boxes = np.array([[1.3, 2.2, 8.9, 6.1], [4.0, 1.0, 6.5, 7.7]], np.float32)
    values = pool(
        boxes, method, plane, output_size=3, sampling_ratio=2, aligned=aligned
    )
    share = (np.arange(3) + 0.5) / 3
    for box, bins in zip(boxes - (0.5 if aligned else 0), values, strict=True):
        x = box[0] + (box[2] - box[0]) * share
        y = box[1] + (box[3] - box[1]) * share
        np.testing.assert_allclose(bins[..., 0], 7, rtol=1e-6)
        expected = 2 * x[None] - 3 * y[:, None]
        np.testing.assert_allclose(bins[..., 1], expected, rtol=0, atol=2e-5)


def test_slopes_by_hand(method):
    # The value is 10 y + x at the middle: half of that slope for each side. In the
    # second box, narrower than a cell, x1 has no say and x0 has all of it.
    boxes = jnp.array([[0.2, 0.3, 2.3, 1.4], [0.2, 0.3, 0.9, 1.4]])
    pooled = partial(roi_align, MAP, output_size=1, method=method)
    slopes = jax.jit(jax.grad(lambda b: pooled(b).sum()))(boxes)
    expected = [[0.5, 5, 0.5, 5], [1, 5, 0, 5]]
    np.testing.assert_allclose(slopes, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("aligned", [False, True])
def test_gradients(method, aligned):
    # Samples lie a quarter and three quarters into a bin: x at 1.2, 1.7, 2.2, 2.7 and
    # y at 0.3, 0.7, 1.1, 1.5, then x at -0.2, 0.6, 1.5, 2.3 and y at 1.4, 1.9, 2.4,
    # 2.9: at least a tenth away from whole cells, where the slopes jump.
    boxes = jnp.array([[0.95, 0.1, 2.95, 1.7], [-0.65, 1.1, 2.75, 3.1]])
    boxes = boxes + 0.5 if aligned else boxes
    fn = partial(roi_align, output_size=2, method=method, aligned=aligned)
    x = random_map(5, 6, 2)
    check_gradients(fn, (x, boxes), rtol=2e-2, eps=1e-2)


@pytest.mark.parametrize("aligned", [False, True])
def test_no_box_spoils_values_or_slopes(method, aligned):
    good = [1.2, 0.7, 3.9, 3.1]
    empty = [[2, 2, 2, 2], [3, 3, 1, 1], [1e30, 0, 2e30, 1], [0, 0, 1e-30, 1e-30]]
    broken = [[NAN, 1, 2, 2], [0, 0, INF, 2], [-INF, 0, INF, 1], [0, INF, 1, INF]]
    broken += [[NAN] * 4, [0, 0, 3, -INF], [-3e38, 0, 3e38, 1]]
    boxes = jnp.array([good, *broken, *empty], jnp.float32)
    fn = partial(roi_align, output_size=2, method=method, aligned=aligned)

    @jax.jit
    def values_slopes(boxes):
        values, back = jax.vjp(fn, random_map(), boxes)
        return values, back(jnp.ones_like(values))

    values, slopes = values_slopes(boxes)
    for leaf in (values, *slopes):
        assert np.all(np.isfinite(leaf))
    are_broken = slice(1, 1 + len(broken))
    np.testing.assert_array_equal(values[are_broken], 0)
    np.testing.assert_array_equal(slopes[1][are_broken], 0)
    # The others are as if they were alone.
    rest = boxes.at[are_broken].set(99.0)  # Far outside of the map.
    alone, alone_slopes = values_slopes(rest)
    np.testing.assert_allclose(values[0], alone[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slopes[0], alone_slopes[0], rtol=1e-5, atol=1e-6)
    assert np.all(slopes[1][0] != 0)


def test_examples_of_a_batch_are_apart(method):
    x = jnp.stack([random_map(seed=seed) for seed in range(2)])
    boxes = jnp.asarray(boxes_of_all_kinds())
    boxes = jnp.stack([boxes, boxes[::-1]])
    fn = partial(roi_align, output_size=3, method=method)
    values = jax.jit(jax.vmap(fn))(x, boxes)
    for of_one, *example in zip(values, *map(np.asarray, (x, boxes)), strict=True):
        expected = numpy_roi_align(*example, 3, 2, False)
        np.testing.assert_allclose(of_one, expected, rtol=0, atol=1e-5)
    assert jax.eval_shape(fn, x[0], boxes[0, :0]).shape == (0, 3, 3, 3)


def test_the_maps_type_is_kept(method):
    boxes = jnp.array([[0.0, 0.0, 3.0, 2.0]], jnp.bfloat16)
    values = jitted(MAP.astype(jnp.bfloat16), boxes, output_size=2, method=method)
    assert values.dtype == jnp.bfloat16
    # Of three digits: rounding once or twice errs by 2^-7 of the value at most.
    expected = [[5.75, 7.25], [15.75, 17.25]]
    np.testing.assert_allclose(values[0, ..., 0].astype("f4"), expected, rtol=2**-7)


@pytest.mark.parametrize("aligned", [False, True])
def test_the_pyramid_stacks_enlarged_poolings_of_the_same_points(method, aligned):
    x, boxes = random_map(), boxes_of_all_kinds()
    options = {"method": method, "aligned": aligned}
    values = jax.jit(partial(pyramid_roi_align, **options))(x, boxes)
    assert values.shape == (len(boxes), 6, 6, 9)
    for level, size in enumerate((6, 3, 1)):
        # 2 samples a bin of the finest level: 4 of 3 x 3 bins, 12 of one.
        pooled = numpy_roi_align(x, boxes, size, 12 // size, aligned)
        # Bin p of the finest level lies in bin p // (6 / size) of this one.
        place = np.arange(6) // (6 // size)
        expected = pooled[:, place][:, :, place]
        got = values[..., 3 * level : 3 * level + 3]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_every_level_sees_every_cell(method):
    # The box is 8 cells wide from 95.5 / 8 = 11.9375 on: 12 samples an axis, 2 / 3
    # apart from 12.2708 on. Around cell 13 they are at 12.2708, 12.9375 and 13.6042,
    # and give it 0.2708 + 0.9375 + 0.3958 = 1.6042; cell 15, three samples further, as
    # much. The mean over 12 x 12 samples is (1.6042 / 12)^2 = 0.01787. (2 x 2 samples
    # a bin gave 0.01477 at 3 x 3 and 0 at 1 x 1, or 0.01235 and 0.00098.) Aligned, they
    # begin at 11.7708, and 13.1042, 13.7708 and 12.4375 give 13
    # 0.8958 + 0.2292 + 0.4375 = 1.5625; (1.5625 / 12)^2 = 0.01695.
    box = jnp.array([[95.5, 95.5, 159.5, 159.5]])
    cells = np.zeros((32, 32, 2), np.float32)
    cells[15, 15, 0] = cells[13, 13, 1] = 1
    for aligned, expected in ((False, 0.01787), (True, 0.01695)):
        options = {"spatial_scale": 1 / 8, "aligned": aligned, "method": method}
        values = jax.jit(partial(pyramid_roi_align, **options))(cells, box)
        means = np.mean(values[0], axis=(0, 1))
        np.testing.assert_allclose(means, np.full(6, expected), atol=5e-6)
        # Of one bin all entries are that mean.
        np.testing.assert_allclose(values[0, ..., 4:], expected, atol=5e-6)


def test_the_pyramid_by_hand():
    # Bins as in `test_by_hand`, and their mean: a plane's value at the box's center.
    boxes = jnp.array([[0.0, 0.0, 2.0, 2.0]])
    values = jax.jit(partial(pyramid_roi_align, output_sizes=(1, 2)))(MAP, boxes)
    np.testing.assert_allclose(values[0, ..., 0], 11, rtol=1e-6)
    np.testing.assert_allclose(values[0, ..., 1], [[5.5, 6.5], [15.5, 16.5]])


def test_cells_of_pixels():
    # Cells 0 and 1 of pysot's ResNet have their centers at 7.5 and 15.5.
    boxes = jnp.array([7.5, 15.5, 127.5, 11.5])
    cells = to_cells(boxes, stride=8, offset=7.5)
    np.testing.assert_array_equal(cells, [0, 1, 15, 0.5])


def test_boxes_in_pixels_are_read_where_they_are():
    # Cells that hold their own place in the picture give the bins' places in it.
    x, y = np.meshgrid(7.5 + 8 * np.arange(15.0), 7.5 + 8 * np.arange(15.0))
    places = jnp.asarray(np.stack([x, y], axis=-1), jnp.float32)
    boxes = jnp.array([[30.0, 20.0, 90.0, 80.0]])
    cells = to_cells(boxes, stride=8, offset=7.5)
    bins = jitted(places, cells, output_size=6)[0]
    np.testing.assert_allclose(bins[0, :, 0], 35 + 10 * np.arange(6), rtol=1e-5)
    np.testing.assert_allclose(bins[:, 0, 1], 25 + 10 * np.arange(6), rtol=1e-5)


def test_faults_are_refused():
    faults = (
        ((7, 7), (2, 4), {}, r"\(7, 7\)"),
        ((0, 7, 2), (2, 4), {}, r"\(0, 7, 2\)"),
        ((7, 7, 2), (4,), {}, r"\(4,\)"),
        ((7, 7, 2), (2, 5), {}, r"\(2, 5\)"),
        ((7, 7, 2), (2, 4), {"output_size": 0}, "output_size=0"),
        ((7, 7, 2), (2, 4), {"sampling_ratio": 0}, "sampling_ratio=0"),
        ((7, 7, 2), (2, 4), {"method": "matmull"}, "'matmull'"),
    )
    for x_shape, boxes_shape, options, message in faults:
        options = {"output_size": 2, **options}
        with pytest.raises(ValueError, match=message):
            roi_align(jnp.zeros(x_shape), jnp.zeros(boxes_shape), **options)


def test_sizes_that_do_not_divide_are_refused():
    for sizes in ((), (6, 4), (6, 0), (-1,)):
        with pytest.raises(ValueError, match="must divide"):
            pyramid_roi_align(MAP, jnp.zeros((1, 4)), output_sizes=sizes)
