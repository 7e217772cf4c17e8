"""Records of a packed folder: ArrayRecord shards that tfds reads, without TensorFlow.

A packed folder is a tfds dataset with up to three splits: `train` has the frames,
`masks` the masks of frames, `photos` photographs without boxes. A record is
`{"image": encoded bytes, "name": str}`. Boxes are in the index of tracks
(`data.tracks`), which lists the records of each track.
"""

import io
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow_datasets as tfds
from array_record.python import array_record_module
from tensorflow_datasets.core import example_serializer

from jaxtrack.errors import InputError

DATASET = "tracks"  # Name of the dataset, the prefix of its files.
FRAMES, MASKS, PHOTOS = SPLITS = ("train", "masks", "photos")


class Shard(NamedTuple):
    """A file of records.

    Attributes:
      split: one of `SPLITS`.
      length: number of records.
      size: bytes.
      sha256: of the file.
    """

    split: str
    length: int
    size: int
    sha256: str


class Writer:
    """Writes one shard; each record is a group of its own, for random access."""

    def __init__(self, path: str | pathlib.Path):
        """Opens the file.

        Args:
          path: of the shard.
        """
        self.length = 0
        self._writer = array_record_module.ArrayRecordWriter(
            os.fspath(path), "group_size:1"
        )
        self._features = _features()
        self._serializer = example_serializer.ExampleSerializer(
            self._features.get_serialized_info()
        )

    def write(self, data: bytes, name: str) -> int:
        """Appends a record.

        Args:
          data: an encoded picture.
          name: for messages.

        Returns:
          The index of the record, from 0.

        Raises:
          OSError: it cannot be written.
        """
        # tfds takes already encoded bytes as a file object.
        example = {"image": io.BytesIO(data), "name": name}
        encoded = self._features.encode_example(example)
        try:
            self._writer.write(self._serializer.serialize_example(encoded))
        except RuntimeError as error:
            raise _refused(error) from error
        self.length += 1
        return self.length - 1

    def close(self) -> None:
        """Completes the file.

        Raises:
          OSError: it cannot be written.
        """
        try:
            self._writer.close()
        except RuntimeError as error:
            raise _refused(error) from error


def file_name(split: str, number: int, count: int) -> str:
    """Returns the name of a shard's file.

    Args:
      split: one of `SPLITS`.
      number: of the shard, from 0.
      count: shards of the split.
    """
    return f"{DATASET}-{split}.array_record-{number:05d}-of-{count:05d}"


def write_metadata(folder: str | pathlib.Path, shards: Sequence[Shard]) -> None:
    """Writes the metadata that make a folder of shards a tfds dataset.

    Args:
      folder: of the shards; receives `dataset_info.json` and `features.json`.
      shards: in the order of their numbers.
    """
    infos = []
    for split in SPLITS:
        own = [shard for shard in shards if shard.split == split]
        if own:
            info = tfds.core.SplitInfo(
                name=split,
                shard_lengths=[shard.length for shard in own],
                num_bytes=sum(shard.size for shard in own),
                filename_template=tfds.core.ShardedFileTemplate(
                    data_dir=os.fspath(folder),
                    dataset_name=DATASET,
                    split=split,
                    filetype_suffix="array_record",
                ),
            )
            infos.append(info)
    tfds.folder_dataset.write_metadata(
        data_dir=os.fspath(folder),
        features=_features(),
        split_infos=infos,
        filename_template="{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
        check_data=False,
        description="Frames of annotated sequences and still images.",
    )


def open_split(folder: str | pathlib.Path, split: str) -> Sequence[dict]:
    """Opens the records of a split for random access, pictures still encoded.

    Args:
      folder: a packed folder.
      split: one of `SPLITS`.

    Returns:
      Index of a record -> `{"image": bytes, "name": bytes}`.

    Raises:
      InputError: the folder cannot be opened, or lacks the split.
    """
    try:
        return tfds.builder_from_directory(os.fspath(folder)).as_data_source(
            split=split, decoders={"image": tfds.decode.SkipDecoding()}
        )
    except Exception as error:  # tfds and ArrayRecord raise many types.
        said = f"{folder}: damaged records ({_line(error)}); pack again"
        raise InputError(said) from error


def read_record(records: Sequence[dict], number: int, name: str) -> bytes:
    """Returns the encoded picture of a record.

    Args:
      records: from `open_split`.
      number: index of the record.
      name: for the error message.

    Raises:
      InputError: the record is damaged, or its file has vanished.
    """
    try:
        data = records[number]["image"]
    except Exception as error:  # ArrayRecord and protobuf raise many types.
        said = f"{name}: damaged or vanished record ({_line(error)}); pack again"
        raise InputError(said) from error
    if not data:  # The shard was truncated while it was open.
        raise InputError(f"{name}: damaged or vanished record (empty); pack again")
    return data


def _line(error):
    """Shortens an error message of tfds to one line."""
    return " ".join(str(error).split())[:200]


def _refused(error):
    """Shortens an error message of ArrayRecord's writer to one line."""
    return OSError(str(error).partition(";")[0])


def _features():
    """Describes a record; the bytes have any format that `encoding` reads."""
    image = tfds.features.Image(shape=(None, None, 3))
    return tfds.features.FeaturesDict({"image": image, "name": tfds.features.Text()})
