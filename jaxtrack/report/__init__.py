"""Reports: the page, figures and tables of an evaluation.

Nothing here scores or tracks: `jaxtrack.evaluation` returns data, from which
`build.write` makes `report.html` and the other files.
"""
