"""Scores of trackers: result files, runs over sequences, plots, a report."""
