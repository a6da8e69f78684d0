"""Documentation of the action `foresail.core.delete`; it runs in `plugins/action/delete.py`, never as a module."""

DOCUMENTATION = """
module: delete
short_description: Delete objects
description:
  - Deletes one object, or those of a selector, and waits until they are gone. What does not exist is no failure.
extends_documentation_fragment:
  - foresail.core.target
options:
  wait:
    description: Whether to wait until they are gone.
    type: bool
    default: true
  timeout:
    description: Seconds that the wait may take.
    type: float
    default: 300
  propagation:
    description: What happens to what the objects own.
    type: str
    choices: [Background, Foreground, Orphan]
    default: Background
  grace_seconds:
    description: Time that a pod is given to end.
    type: int
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Delete the DaemonSet
  foresail.core.delete:
    kind: DaemonSet
    name: preload
    namespace: default
"""

RETURN = """
deleted:
  description: Names of the objects that were there.
  type: list
  returned: always
"""
