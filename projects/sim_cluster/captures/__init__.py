"""Captures of clusters: read into a simulated one, written from a running one."""
