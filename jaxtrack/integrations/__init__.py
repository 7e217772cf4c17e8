"""Our trackers inside other programs: the toolkits of GOT-10k and of VOT (TraX)."""
