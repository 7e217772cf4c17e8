"""Trains a tracker: the command `jaxtrack train`, from a checkout."""

import sys

from jaxtrack import cli

if __name__ == "__main__":
    cli.main(["train", *sys.argv[1:]])
