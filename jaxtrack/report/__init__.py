"""Reports: the page, figures and tables of an evaluation.

Nothing here scores or tracks: `jaxtrack.evaluation` returns data, `build.write` makes
`report.html` and what lies beside it from that data.
"""
