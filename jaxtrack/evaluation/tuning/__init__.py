"""Tuning: searches the settings of tracking for those that score best."""

SAMPLERS = ("tpe", "random", "grid")
