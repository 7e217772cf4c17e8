"""The same trackers on other platforms: what this machine has, and what comes out."""
