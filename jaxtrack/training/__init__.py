"""Training: the step that pmap runs, its state, and the loop around it."""
