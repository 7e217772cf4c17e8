"""Array functions without parameters: boxes, grids, correlations, crops, colors.

All functions take and return arrays, can be jitted, mapped and differentiated, and
depend neither on networks nor on the config.
"""
