"""Training targets of one example; callers map them over the batch."""
