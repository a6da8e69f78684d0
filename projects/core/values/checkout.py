"""Where the checkout is. Called by what looks for projects, toolbox groups and root files."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The root of the checkout: the directory of run_toolbox.py."""
