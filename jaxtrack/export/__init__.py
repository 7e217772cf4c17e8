"""Export of trackers for programs without this package: StableHLO, and ONNX graphs."""
