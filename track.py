"""Tracks one target: the command `jaxtrack track`, from a checkout."""

import sys

from jaxtrack import cli

if __name__ == "__main__":
    cli.main(["track", *sys.argv[1:]])
