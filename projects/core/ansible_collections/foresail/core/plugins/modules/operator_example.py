"""Documentation of the action `foresail.core.operator_example`; it runs in `plugins/action/operator_example.py`, never as a module."""

DOCUMENTATION = """
module: operator_example
short_description: Take an example of a custom resource out of a ClusterServiceVersion
description:
  - Operators carry examples of their custom resources in the annotation C(alm-examples).
options:
  csv:
    description: The ClusterServiceVersion.
    type: dict
    required: true
  index:
    description: Which of the examples.
    type: int
    default: 0
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Take the example
  foresail.core.operator_example:
    csv: "{{ csv.object }}"
"""

RETURN = """
manifest:
  description: The custom resource.
  type: dict
  returned: always
"""
