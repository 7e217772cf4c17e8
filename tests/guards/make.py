"""Makes the values that the guards expect: python -m tests.guards.make [NAME ...].

Run it only where behavior changes on purpose, and say so in the commit.
"""

import sys

from tests import conftest  # noqa: F401  Sets JAX as the tests have it.
from tests.guards import (
    boxes_test,
    evaluation_test,
    loader_test,
    losses_test,
    parameters_test,
    scores_test,
    training_test,
)

MAKERS = {
    "parameters": parameters_test.make,
    "losses": losses_test.make,
    "loader": loader_test.make,
    "scores": scores_test.make,
    "evaluation": evaluation_test.make,
    "training": training_test.make,
    "videos": boxes_test.make_videos,
    "boxes": boxes_test.make,
}


def main(names):
    """Makes those that are named, or all."""
    for name in names or MAKERS:
        MAKERS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
