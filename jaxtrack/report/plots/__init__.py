"""Figures, as matplotlib's or as JPEG: one style sheet, a function a figure."""
