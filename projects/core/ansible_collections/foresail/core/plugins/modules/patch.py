"""Documentation of the action `foresail.core.patch`; it runs in `plugins/action/patch.py`, never as a module."""

DOCUMENTATION = """
module: patch
short_description: Change a part of an object
description:
  - The object has to exist.
extends_documentation_fragment:
  - foresail.core.target
options:
  patch:
    description: The patch, a mapping; a list of operations for C(json).
    type: raw
    required: true
  type:
    description: How the server reads it. C(strategic) is known for built-in kinds only.
    type: str
    choices: [merge, strategic, json]
    default: merge
  subresource:
    description: The part of the API that takes it.
    type: str
    choices: [status, scale]
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Scale the machine set
  foresail.core.patch:
    kind: MachineSet
    name: workers
    namespace: openshift-machine-api
    patch: {spec: {replicas: 3}}
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
