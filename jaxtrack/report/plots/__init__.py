"""Figures as PNG or JPEG: one style sheet, a function a figure."""
