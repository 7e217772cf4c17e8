"""Evaluation: tracks sequences, reads result files, scores and compares trackers."""
