"""Runs `python -m jaxtrack COMMAND`."""

from jaxtrack import cli

if __name__ == "__main__":
    cli.main()
