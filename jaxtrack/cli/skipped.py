"""The end of a command that went on after bad items: they are named, exit status 3."""

import sys
from collections.abc import Sequence

from jaxtrack.datasets.sequence import Skipped


def finish(skipped: Sequence[Skipped]) -> None:
    """Names what was left out; returns where nothing was.

    Args:
      skipped: the items, and why.

    Raises:
      SystemExit: with status 3, "finished with n skipped".
    """
    if not skipped:
        return
    for name, reason in skipped:
        print(f"skipped {name}: {' '.join(reason.split())}", file=sys.stderr)
    print(f"finished with {len(skipped)} skipped", file=sys.stderr)
    raise SystemExit(3)
