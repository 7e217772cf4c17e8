"""Array functions without parameters: boxes, grids, correlations, crops, colours.

Everything here takes and returns arrays, can be jitted, mapped and differentiated, and
knows neither networks nor configuration.
"""
