"""Tests for jaxtrack.data.records."""

import sys

import tensorflow_datasets as tfds
from array_record.python import array_record_module

from jaxtrack.data import jpeg, records

from .conftest import scene


def test_records_are_the_bytes_given_in_order(tmp_path):
    frames = [(f"frame {t}", jpeg.encode(scene(t))) for t in range(5)]
    folder = records.write_frames(iter(frames), str(tmp_path))
    source = tfds.builder_from_directory(folder).as_data_source(
        split="train", decoders={"image": tfds.decode.SkipDecoding()}
    )
    assert len(source) == 5
    for t in (3, 0, 4, 1, 2):
        assert source[t]["image"] == frames[t][1]
        assert source[t]["name"] == f"frame {t}".encode()
    assert "tensorflow" not in sys.modules


def test_a_group_is_one_record(tmp_path):
    frames = [("a", jpeg.encode(scene(0)))] * 3
    folder = records.write_frames(frames, str(tmp_path))
    (shard,) = [path for path in tmp_path.rglob("*") if "array_record-" in path.name]
    assert str(shard).startswith(folder)
    reader = array_record_module.ArrayRecordReader(str(shard))
    assert "group_size:1" in reader.writer_options_string()
    reader.close()
