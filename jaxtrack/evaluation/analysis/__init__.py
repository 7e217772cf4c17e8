"""Analyses of a checkpoint's maps and settings, beside its scores."""
