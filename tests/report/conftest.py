"""Fixtures of the report's tests: made once, not to be changed."""

import pytest

from tests.evaluation import fixtures


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def root(folder):
    return fixtures.write_sequences(folder / "sequences")


@pytest.fixture(scope="session")
def videos(root):
    return fixtures.read_sequences(root)


@pytest.fixture(scope="session")
def scores(folder, videos):
    return fixtures.score_trackers(folder, videos)


@pytest.fixture(scope="session")
def found(root, scores):
    return fixtures.evaluation_of(root, scores)
