"""Measurements of what the issues set as bars. `make bench` prints them; no test asserts a wall-clock time."""
