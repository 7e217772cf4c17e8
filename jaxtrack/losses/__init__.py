"""Losses: unreduced terms by family; `totals` reduces them, a function a tracker."""
