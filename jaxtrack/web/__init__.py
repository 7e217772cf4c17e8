"""A page in the browser: point at targets, watch them tracked, correct, download."""
