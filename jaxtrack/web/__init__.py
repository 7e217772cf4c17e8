"""A page in the browser: draw boxes, watch them tracked, correct, download."""
