"""What train.py, eval.py and track.py share: flags in, one clear line on a fault."""

import os
import pathlib
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging
from ml_collections import ConfigDict, config_flags

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError


def fail(message: str) -> None:
    """Prints one line to standard error and leaves with exit code 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    raise SystemExit(2)


def define_config(default: str) -> flags.FlagHolder[ConfigDict]:
    """Defines `--config=FILE` and `--config.FIELD=VALUE`.

    Args:
      default: file of the settings where none is given.

    Returns:
      The flag. Fields that the file does not have end the command.
    """
    text = "Settings; --config.FIELD=VALUE overrides one."
    try:  # Overrides of the default file are already looked up here.
        return config_flags.DEFINE_config_file("config", default, text)
    except (AttributeError, KeyError) as fault:
        return fail(_unknown_field(fault))


def _unknown_field(fault: Exception) -> str:
    """Words what ml_collections says of a field that does not exist."""
    for argument in sys.argv[1:]:
        name, _, _ = argument.lstrip("-").removeprefix("config.").partition("=")
        if argument.lstrip("-").startswith("config.") and not config_lib.is_known(name):
            return config_lib.unknown(name)
    text = str(fault.args[0]).replace("\\n", " ").replace("\\", "").strip("'\"")
    return f"--config has no such field: {text}"


def _parse(argv: Sequence[str]) -> list[str]:
    """Parses flags; an unknown or ill-typed one is the user's to mend."""
    try:
        rest = flags.FLAGS(list(argv))
        if "config" in flags.FLAGS:
            dict(
                flags.FLAGS["config"].value
            )  # Where a file failed to load, it says so.
    except (AttributeError, KeyError) as fault:
        return fail(_unknown_field(fault))
    except (flags.Error, TypeError, ValueError) as fault:
        return fail(f"{fault} (see --help)")
    except OSError as fault:
        return fail(f"--config: {str(fault).splitlines()[-1]}: see the folder configs/")
    if len(rest) > 1:
        return fail(f"unexpected argument {rest[1]!r}: flags are written --name=value")
    return rest


def _keep_compilations() -> None:
    """Names a folder for XLA's compilations, unless the user has; before jax starts."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(cache) / "jaxtrack" / "xla"
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))


def run(main: Callable[[], None]) -> None:
    """Runs a command: parses flags, calls `main`, turns its faults into exit codes.

    What XLA compiles is kept in `~/.cache/jaxtrack/xla` (or where the variable
    `JAX_COMPILATION_CACHE_DIR` says), so that a second run starts at once.

    Args:
      main: the command; it reads `absl.flags.FLAGS`. An `InputError` it raises is
        printed as one line (exit code 2); Ctrl-C ends it quietly (exit code 130);
        anything else is a fault of the program and keeps its traceback (exit code 1).
    """

    def guarded(argv: Sequence[str]) -> None:
        del argv
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(
                logging.WARNING
            )  # Orbax reports every file it writes.
        _keep_compilations()
        try:
            main()
        except InputError as fault:
            fail(str(fault))
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None

    app.run(guarded, flags_parser=_parse)
