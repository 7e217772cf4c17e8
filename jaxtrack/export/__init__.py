"""Trackers for programs without this package: StableHLO, and ONNX graphs."""
