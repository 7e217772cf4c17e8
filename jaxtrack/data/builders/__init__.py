"""Builders: from the files of a data set to ArrayRecord shards."""
