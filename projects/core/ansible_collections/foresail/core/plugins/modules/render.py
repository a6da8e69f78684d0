"""Documentation of the action `foresail.core.render`; it runs in `plugins/action/render.py`, never as a module."""

DOCUMENTATION = """
module: render
short_description: Make a manifest from a template, keep it and apply it
description:
  - The template is a YAML file whose values hold C({{ }}) expressions. It is read as YAML first, then each value is filled in, so that a value keeps its type and no text can break the document.
  - An entry whose value is C({{ omit }}) is left out.
options:
  template:
    description: The file, in the C(templates) directory of the role.
    type: str
    required: true
  file:
    description: Where to keep the manifest, below the artifact directory; C(src/) and the template's name when not given.
    type: str
  apply:
    description: Whether to apply it.
    type: bool
    default: true
  namespace:
    description: Namespace of the objects whose manifest names none.
    type: str
  temporary:
    description:
      - Whether the role deletes the objects again before it ends. They are noted in the run's directory before they are made,
        so that C(runs cleanup) can delete them after a kill; the C(delete) of the role takes the note off.
    type: bool
    default: false
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Deploy the server
  foresail.core.render:
    template: deployment.yaml
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
