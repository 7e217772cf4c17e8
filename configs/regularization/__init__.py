"""Regularization of the small network: one setting per file.

Paper: none; stochastic depth is Huang et al. (arXiv:1603.09382), dropout of channels
    Tompson et al. (arXiv:1411.4280).
Run: make compare CONFIGS=siamcar_lite0,regularization DATA=REALDATA PAIRS=256000
Cost, score: not trained here as a whole; docs/lite.md compares short fine-tunings.
Differs: from `siamcar_lite0` in the setting that gives the file its name.
"""
