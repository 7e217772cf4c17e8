"""Runs, scores and compares trackers: the command `jaxtrack eval`, from a checkout."""

import sys

from jaxtrack import cli

if __name__ == "__main__":
    cli.main(["eval", *sys.argv[1:]])
