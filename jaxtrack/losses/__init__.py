"""Losses: unreduced terms by family, and `reduce`, which makes them one number."""
