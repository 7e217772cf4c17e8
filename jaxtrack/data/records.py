"""A tfds builder of frames, written without TensorFlow."""

import io
from collections.abc import Iterable, Iterator

import tensorflow_datasets as tfds

EncodedFrame = tuple[str, bytes]  # What messages call it, and its JPEG bytes.


class SequenceFolder(tfds.core.GeneratorBasedBuilder):
    """Frames of annotated sequences and stills, in the order they are given.

    Record `i` is the `i`-th frame: shuffling is off, and tfds writes one record a
    group, which random access needs. Boxes are not in the records: the index of tracks
    beside them says which records a track is made of.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: dict[str, str] = {"1.0.0": "Encoded frames with their names."}  # noqa: RUF012

    def __init__(
        self,
        *,
        frames: Iterable[EncodedFrame] = (),
        data_dir: str | None = None,
        file_format: str = "array_record",
    ):
        """Makes a builder.

        Args:
          frames: what to write, read once; JPEG bytes, checked.
          data_dir: folder of tfds data sets.
          file_format: `array_record`, the one format that allows random access.
        """
        self._frames = frames
        super().__init__(data_dir=data_dir, file_format=file_format)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes a record."""
        kind = {"shape": (None, None, 3), "encoding_format": "jpeg"}
        fields = {"image": tfds.features.Image(**kind), "name": tfds.features.Text()}
        return tfds.core.DatasetInfo(
            builder=self,
            description="Frames of annotated sequences and stills.",
            features=tfds.features.FeaturesDict(fields),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        """Returns the one split."""
        del dl_manager  # Nothing is downloaded.
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict]]:
        """Yields records; a file object is how tfds takes bytes already encoded."""
        for index, (name, data) in enumerate(self._frames):
            yield index, {"image": io.BytesIO(data), "name": name}


def write_frames(frames: Iterable[EncodedFrame], data_dir: str) -> str:
    """Writes frames as a tfds data set.

    Args:
      frames: what to write.
      data_dir: folder of tfds data sets.

    Returns:
      The folder of the data set: shards, `features.json`, `dataset_info.json`.
    """
    builder = SequenceFolder(frames=frames, data_dir=data_dir)
    nothing = tfds.download.DownloadConfig(try_download_gcs=False)
    builder.download_and_prepare(download_config=nothing)
    return str(builder.data_path)
