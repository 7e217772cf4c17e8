"""Show what this machine offers to jaxtrack, and what will go wrong on it.

Examples:
  jaxtrack doctor
  jaxtrack doctor --json > machine.json
  JAX_PLATFORMS=cpu jaxtrack doctor

It shows versions, extras, devices, the precision of float32 products, memory, disks and
decoders, and the variables that change what JAX does. The exit status is 2 if something
needs repair; each problem says how.
"""

import argparse
import json
import os

from jaxtrack.cli import options
from jaxtrack.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    options.add_flag(parser, "--json", "print JSON, for a report of a problem")


def run(args: argparse.Namespace) -> None:
    """Examines and prints."""
    from jaxtrack import __version__  # Late: --help should not wait for jax.
    from jaxtrack.portability import environment

    findings = [environment.Finding("jaxtrack", __version__)]
    for finding in environment.examine(cache=os.environ["JAX_COMPILATION_CACHE_DIR"]):
        findings.append(finding)
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        width = max(len(finding.name) for finding in findings)
        for name, value, problem in findings:
            print(f"{name:<{width}}  {value}")
            if problem:
                print(f"{'':<{width}}  PROBLEM: {problem}")
    problems = [finding.name for finding in findings if finding.problem]
    if not problems and not args.json:
        print("no problems found")
    if problems:
        raise InputError(f"{len(problems)} to fix: {', '.join(problems)}; see above")
