"""Losses: unreduced terms by kind, and `reduce`, which makes a scalar of them."""
