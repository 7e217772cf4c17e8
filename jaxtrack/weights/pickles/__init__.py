"""The files of PyTorch and other pickles, read as data: no code in them is run."""
