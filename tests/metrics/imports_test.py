"""Metrics need only result files and numpy; datasets need no jax."""

import subprocess
import sys

CODE = """
import sys
import jaxtrack.metrics
from jaxtrack.metrics import attributes, statistics
box = [[20.0, 20, 10, 10]] * 2
jaxtrack.metrics.ope.score({"a": box}, {"a": box}, protocol="otb")
print([name for name in ("jax", "cv2", "absl", "matplotlib") if name in sys.modules])
import jaxtrack.datasets
print([name for name in ("jax", "grain", "tensorflow_datasets") if name in sys.modules])
"""


def test_what_imports_bring():
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("[]\n[]\n", "")
