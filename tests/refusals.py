"""What commands say to a user's mistakes."""

import pytest

from jaxtrack import cli


def refused(capsys, *argv, command=None):
    """Runs a command that must end with one line on standard error; returns it.

    Args:
      capsys: pytest's.
      *argv: the command's name and its options.
      command: a module that stands for the name, or None.
    """
    with pytest.raises(SystemExit) as end:
        if command is None:
            cli.main(argv)
        else:
            cli.run_command(command, argv, prog="test")
    told = capsys.readouterr()
    assert (end.value.code, told.out) == (2, "")
    assert told.err.startswith("error: ") and told.err.count("\n") == 1, told.err
    return told.err
