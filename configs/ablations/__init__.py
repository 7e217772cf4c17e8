"""The paper's ablations of SiamLA, Tables III to VI, on the small network."""
