"""Puts the Ansible collection kubernetes.core into the venv, for the tests. Run by ``make setup``.

PyPI has it only within `ansible`: one file of 54 MB with a hundred collections, of which this unpacks the one.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

COLLECTIONS = Path(sys.prefix) / "collections"
_PART = "ansible_collections/kubernetes/core/"
_CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


def main() -> None:
    """Download and unpack, unless that was done before."""
    if (COLLECTIONS / _PART).is_dir():
        return
    with tempfile.TemporaryDirectory() as scratch:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary",
            ":all:",
        ]
        subprocess.run([*pip, "-c", str(_CONSTRAINTS), "-d", scratch, "ansible"], check=True)
        [wheel] = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(COLLECTIONS, [name for name in archive.namelist() if name.startswith(_PART)])


if __name__ == "__main__":
    main()
