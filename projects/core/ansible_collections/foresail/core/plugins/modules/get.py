"""Documentation of the action `foresail.core.get`; it runs in `plugins/action/get.py`, never as a module."""

DOCUMENTATION = """
module: get
short_description: Read objects
description:
  - Reads one object, or those of a selector. What does not exist is no failure unless it is required.
extends_documentation_fragment:
  - foresail.core.target
options:
  required:
    description: Fail when there is none.
    type: bool
    default: false
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Read the worker nodes
  foresail.core.get:
    kind: Node
    label_selector: node-role.kubernetes.io/worker
  register: workers
"""

RETURN = """
object:
  description: The object, or the first one.
  type: dict
  returned: when there is one
objects:
  description: All objects.
  type: list
  returned: always
"""
