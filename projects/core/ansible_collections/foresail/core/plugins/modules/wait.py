"""Documentation of the action `foresail.core.wait`; it runs in `plugins/action/wait.py`, never as a module."""

DOCUMENTATION = """
module: wait
short_description: Wait until objects are as they should be
description:
  - Watches the objects; a time-out names those that are not as they should be, with their last status.
  - An object that has failed for good ends the wait for C(ready) at once.
extends_documentation_fragment:
  - foresail.core.target
options:
  until:
    description: Whether they have to exist, to be gone, or to be ready as their kind understands it.
    type: str
    choices: [present, absent, ready]
    default: present
  where:
    description: What each object has to be besides.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The field, such as C(status.phase) or C(status.conditions[Ready].status).
        type: str
        required: true
      equals:
        description: The value that it has to have.
        type: raw
      any_of:
        description: The values of which it has to have one.
        type: list
        elements: raw
      exists:
        description: Whether it has to be set.
        type: bool
      equal_to:
        description: Another field of the object that it has to be equal to.
        type: str
      message:
        description: What it means, for the error.
        type: str
  unless:
    description: What ends the wait with a failure.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The field, such as C(status.phase) or C(status.conditions[Ready].status).
        type: str
        required: true
      equals:
        description: The value that it has to have.
        type: raw
      any_of:
        description: The values of which it has to have one.
        type: list
        elements: raw
      exists:
        description: Whether it has to be set.
        type: bool
      equal_to:
        description: Another field of the object that it has to be equal to.
        type: str
      message:
        description: What it means, for the error.
        type: str
  count:
    description: How many objects have to be so, no more and no fewer. Without it all, and at least one.
    type: int
  names:
    description: The only objects that count.
    type: list
    elements: str
  await_kind:
    description: Whether the kind may be missing at first, because an operator brings it. Otherwise a missing kind is a failure at once.
    type: bool
    default: false
  timeout:
    description: Seconds that this may take.
    type: float
    default: 300
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Wait until the operator is installed
  foresail.core.wait:
    kind: ClusterServiceVersion
    name: "{{ csv }}"
    namespace: operators
    where:
      - {path: status.phase, equals: Succeeded}
    unless:
      - {path: status.phase, equals: Failed}
    timeout: 600
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
waited:
  description: Seconds that it took.
  type: float
  returned: always
"""
