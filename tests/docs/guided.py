"""Runs tests that a guide shows, as its reader would run them. Used by the tests of guides, whichever room they are in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from projects.core.values.checkout import ROOT


def output_of_tests(directory: Path, target: str = ".", **environment: str) -> str:
    """Run the tests of a directory with the checkout on the path, see them pass, and return what pytest printed."""
    options = ["-q", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(directory), target]
    reader = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    reader.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
    line = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(line, cwd=directory, env=reader, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
