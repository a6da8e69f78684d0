"""Documentation of the action `foresail.core.plan_project_template`; it runs in `plugins/action/plan_project_template.py`, never as a module."""

DOCUMENTATION = """
module: plan_project_template
short_description: Set or remove an annotation in the template of new projects
description:
  - Returns the template to apply; touches nothing.
options:
  template:
    description: The template as it is; the one that is built into OpenShift when not given.
    type: dict
  key:
    description: The annotation.
    type: str
    required: true
  value:
    description: Its value; without one it is removed.
    type: str
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Edit the template
  foresail.core.plan_project_template:
    template: "{{ template.object }}"
    key: openshift.io/node-selector
    value: ""
"""

RETURN = """
manifest:
  description: The template to apply, or nothing when there is nothing to remove.
  type: dict
  returned: always
"""
