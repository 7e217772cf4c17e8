"""CRACT without one of its parts (Tables 7 to 9), and part by part on Lite0."""
