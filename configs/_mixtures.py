"""The training data of the papers: packed folders, sampling, frame distances.

Folders have the names of `jaxtrack pack --dataset=NAME`, in `data.root`. Set the weight
of a missing folder to 0.
"""

from ml_collections import ConfigDict

_ALL = -1  # Every clip once.

# Dataset -> clips per epoch, and largest distance of the frames of a pair. The first
# four are pysot's (STVIR/pysot, pysot/core/config.py), the next two SiamCAR's
# (ohhhyeahhh/SiamCAR, likewise); no code of this family names TrackingNet.
_COUNTED = {
    "imagenet_vid": (100_000, 100),
    "youtubebb": (_ALL, 3),
    "coco": (_ALL, 1),
    "imagenet_det": (_ALL, 1),
    "got10k": (100_000, 50),
    "lasot": (100_000, 100),
    "trackingnet": (100_000, 100),
}
# SiamBAN's (hqucv/siamban, siamban/core/config.py).
_SIAMBAN = {
    "imagenet_vid": (100_000, 100),
    "youtubebb": (200_000, 3),
    "coco": (100_000, 1),
    "imagenet_det": (200_000, 1),
    "got10k": (200_000, 100),
    "lasot": (200_000, 100),
}
# NanoTrack's (HonglinChu/SiamTrackers, configv2.yaml).
_NANOTRACK = {"got10k": (100_000, 100)}
# SiamFC++'s shares (MegviiDetection/video_analyst, "fulldata").
_SIAMFCPP = {
    "got10k": 0.2,
    "lasot": 0.3,
    "imagenet_vid": 0.2,
    "coco": 0.07,
    "imagenet_det": 0.08,
    "trackingnet": 0.65,
}


def pysot(c: ConfigDict) -> None:
    """Sets pysot's data: ImageNet VID and DET, YouTube-BoundingBoxes, COCO.

    Args:
      c: settings, which are changed.
    """
    _count(c, "imagenet_vid", "youtubebb", "coco", "imagenet_det")


def siamcar(c: ConfigDict) -> None:
    """Sets pysot's data and GOT-10k: those of SiamCAR's released model, and SiamLA's.

    Args:
      c: settings, which are changed.
    """
    _count(c, "imagenet_vid", "youtubebb", "coco", "imagenet_det", "got10k")


def siamban(c: ConfigDict) -> None:
    """Sets the six datasets of SiamBAN's code.

    Args:
      c: settings, which are changed.
    """
    _count(c, *_SIAMBAN, counted=_SIAMBAN)


def nanotrack(c: ConfigDict) -> None:
    """Sets only GOT-10k, with the frame distance of NanoTrack's code.

    Args:
      c: settings, which are changed.
    """
    _count(c, *_NANOTRACK, counted=_NANOTRACK)


def siamdla(c: ConfigDict) -> None:
    """Sets SiamDLA's seven datasets, its section 4.1.

    Args:
      c: settings, which are changed.
    """
    _count(c, *_COUNTED)


def got10k(c: ConfigDict) -> None:
    """Sets only GOT-10k, as its protocol requires.

    Args:
      c: settings, which are changed.
    """
    _count(c, "got10k")


def siamfcpp(c: ConfigDict) -> None:
    """Sets video_analyst's weights; frames are up to 100 apart.

    Args:
      c: settings, which are changed.
    """
    c.data.records = tuple(_SIAMFCPP)
    c.data.record_weights = tuple(_SIAMFCPP.values())
    c.data.frame_range = 100
    c.data.composed_weight = 0.0


def cract(c: ConfigDict) -> None:
    """Sets CRACT's four datasets, section 4.1, weighted equally as in ATOM's code.

    visionml/pytracking, ltr/train_settings/bbreg/atom.py.

    Args:
      c: settings, which are changed.
    """
    c.data.records = ("lasot", "trackingnet", "got10k", "coco")
    c.data.record_weights = (1.0, 1.0, 1.0, 1.0)
    c.data.frame_range = 50
    c.data.composed_weight = 0.0


def _count(c, *names, counted=_COUNTED):
    """Sets datasets with their counts and distances."""
    c.data.records = names
    c.data.num_use = tuple(counted[name][0] for name in names)
    c.data.frame_ranges = tuple(counted[name][1] for name in names)
    c.data.composed_weight = 0.0
