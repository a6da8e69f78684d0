"""Toolbox commands as declarations: found without importing them, bound to their signature, described from it."""

from projects.core.toolbox.declaration import command

__all__ = ["command"]
