"""Folders of public benchmarks, one module a layout.

Each module has `survey(root, edition, split) -> files.Listing`, which says what the
benchmark holds and what of it is there, and `read(name, place) -> files.Entry`, which
reads one sequence. `evaluation.benchmarks.load` calls them.
"""
