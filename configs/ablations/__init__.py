"""The ablations of SiamLA, a row of a table each, on the small network.

Paper: Nie et al., SiamLA, Tables III to VI.
Run: make ablation
Cost, score: the tables were not trained here as a whole; single trainings are in
    docs/siamla.md.
Differs: each is `siamla_lite0` (or `siamcar_lite0`) with a change or two.
"""
