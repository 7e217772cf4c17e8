"""The error a user can mend."""


class InputError(ValueError):
    """Says what is wrong with a user's input, where, and what to do about it.

    Commands print its message as one line and exit with code 2; see `jaxtrack.cli`.
    """
