"""Documentation of the action `foresail.core.exec`; it runs in `plugins/action/exec.py`, never as a module."""

DOCUMENTATION = """
module: exec
short_description: Run a command in a pod's container
description:
  - No shell reads the command.
options:
  name:
    description: The pod.
    type: str
    required: true
  namespace:
    description: Its namespace; that of the kubeconfig when not given.
    type: str
  container:
    description: The container, where there are several.
    type: str
  command:
    description: Program and arguments.
    type: list
    elements: str
    required: true
  stdin:
    description: What it reads.
    type: str
  timeout:
    description: Seconds that it may take.
    type: float
    default: 60
  check:
    description: Fail when it exits with another code than 0.
    type: bool
    default: true
  reads_only:
    description: It changes nothing, so that it is run in check mode too.
    type: bool
    default: false
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Ask the server
  foresail.core.exec:
    name: redis-0
    namespace: redis
    command: [redis-cli, ping]
    reads_only: true
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
stderr:
  description: What it complained about.
  type: str
  returned: always
"""
