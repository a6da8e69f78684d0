"""Documentation of the action `foresail.core.shell`; it runs in `plugins/action/shell.py`, never as a module."""

DOCUMENTATION = """
module: shell
short_description: Run a bash script
description:
  - Bash with errexit, nounset and pipefail, in its own process group: when the time is over, or the play ends, all of it is killed.
  - Values go to the script as environment variables, not as text in it.
options:
  script:
    description: The script.
    type: str
    required: true
  environment:
    description: Environment variables of the script, beside those of the play.
    type: dict
    default: {}
  directory:
    description: Where it runs.
    type: path
  stdin:
    description: What it reads; nothing when not given.
    type: str
  timeout:
    description: Seconds that it may take.
    type: float
    default: 600
  check:
    description: Fail when it exits with another code than 0.
    type: bool
    default: true
  reads_only:
    description: It changes nothing, so that it is run in check mode too and reports no change.
    type: bool
    default: false
  file:
    description: Where to keep what it writes to stdout, below the artifact directory.
    type: str
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Record the version of the checkout
  foresail.core.shell:
    script: git -C "$CHECKOUT" describe --always --dirty
    environment: {CHECKOUT: "{{ role_path }}"}
    reads_only: true
    file: foresail.git_version
"""

RETURN = """
rc:
  description: Its exit code.
  type: int
  returned: always
stdout:
  description: What it wrote.
  type: str
  returned: always
stdout_lines:
  description: The lines that it wrote.
  type: list
  returned: always
stderr:
  description: What it complained about.
  type: str
  returned: always
"""
