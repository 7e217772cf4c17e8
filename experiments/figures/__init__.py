"""Figures of the papers, drawn from what the package computes: one script each."""
