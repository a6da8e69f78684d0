"""x"""
from pathlib import Path
from projects.core.values.outcomes import ExitCode
def check(root: Path, *, as_json: bool = False) -> ExitCode:
    return ExitCode.PASSED
