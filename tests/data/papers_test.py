"""The papers' data, packed from miniatures of the official layouts."""

import pytest

from jaxtrack import configs
from jaxtrack.config import get_config
from jaxtrack.data import build, pipeline
from jaxtrack.data.packing import part as packing_part
from jaxtrack.data.sources import RecordSource
from jaxtrack.training import loop
from tests.data.conftest import check_batch
from tests.datasets import miniature
from tests.trackers.toy_test import TOY

# Tracks that can be seen in each miniature, and the clips they are in.
PACKED = {
    "imagenet_vid": (3, 2),
    "youtubebb": (2, 2),
    "coco": (3, 2),
    "imagenet_det": (3, 2),
    "got10k": (3, 3),
    "lasot": (2, 2),
    "trackingnet": (3, 3),
}


def full_size():
    """Names the configs that name packed folders."""
    return [name for name in configs.names() if configs.load(name).data.records]


def small(name, root, batch_size=2):
    """Returns a config's data and augmentation, for two steps of a small network."""
    config, of_paper = get_config(), configs.load(name)
    config.data.update(of_paper.data)
    config.augment.update(of_paper.augment)
    config.data.root, config.data.num_workers = str(root), 0
    config.run.batch_size, config.run.pairs_per_epoch = batch_size, 2 * batch_size
    config.run.num_epochs, config.optimizer.warmup_epochs = 1, 0.0
    config.model.preprocessing.order = "RGB"
    return config


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Folder of the seven datasets, packed in this process."""
    folder = tmp_path_factory.mktemp("papers")

    def pack_here(parts, items, folder, shrink, **_):
        for part in parts:
            packing_part.pack(part.key, items.of(part), folder, shrink)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build.workers, "pack_all", pack_here)
        for name in PACKED:
            official = miniature.make(name, folder / "official")
            options = {"dataset": name, "max_bad": 9, "num_workers": 1}
            build.build(folder / "packed" / name, root=official, **options)
    return folder / "packed"


def test_papers_data_are_read_from_their_official_layouts(root):
    names = full_size()
    assert len(names) > 12
    seen = set()
    for name in names:
        config = small(name, root)
        data = config.data
        mixed = (data.records, data.num_use, data.record_weights, data.negative_ratio)
        if mixed in seen:
            continue
        seen.add(mixed)
        sizes = 127, data.search_size or 255
        loader = pipeline.make(config, template_size=sizes[0], search_size=sizes[1])
        for _ in range(2):
            check_batch(next(loader), 2, *sizes)
        loader.close()
    packed = {name: RecordSource(root / name) for name in PACKED}
    assert {n: (p.num_tracks, p.track_clips[-1] + 1) for n, p in packed.items()} == (
        PACKED
    )


@pytest.mark.slow
def test_papers_commands_train_two_steps(root, tmp_path):
    for name in full_size():
        config = small(name, root, batch_size=8)
        config.augment.search_shift /= 2  # The toy's crops are half as large.
        state = loop.train(config, tmp_path / name, family=TOY)
        assert int(state.step.ravel()[0]) == 2
