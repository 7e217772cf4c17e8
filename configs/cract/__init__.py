"""CRACT without one of its parts, and with one more at a time on Lite0.

Paper: Fan and Ling, CRACT (arXiv:2011.12483), Tables 7 to 9.
Run: make incremental
Cost: minutes of a CPU for each `lite0_*`; `r18_*` were not trained here.
Score: AUC of `lite0_*` on 34 sequences in two folds, 6,400 pairs (docs/cract.md):
    parallel 0.560 +- 0.013, cascade 0.571 +- 0.001, discriminator 0.596 +- 0.005.
Differs: each is `cract_lite0` or `cract_r18` without one part.
"""
