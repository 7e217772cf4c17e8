"""Reads PyTorch files and other pickles as data: no code in them is run."""
