"""Foresail and its projects."""
