"""Documentation of the action `foresail.core.apply`; it runs in `plugins/action/apply.py`, never as a module."""

DOCUMENTATION = """
module: apply
short_description: Make objects as manifests say
description:
  - Server-side apply with the field manager C(foresail); fields that others own are taken over.
  - Nothing is changed, and nothing reported as changed, when the objects are already so.
options:
  manifest:
    description: The object, or a list of objects, applied in order.
    type: raw
    required: true
  namespace:
    description: Namespace of the objects whose manifest names none.
    type: str
  validation:
    description: What happens to fields that the schema does not know.
    type: str
    choices: [strict, warn, ignore]
    default: strict
  await_kind:
    description: Seconds to wait until the server serves the kinds, where they have just been defined.
    type: float
    default: 0
  file:
    description: Where to keep the manifest, below the artifact directory, such as C(src/deployment.yaml). A Secret is kept without its values.
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
- name: Make the namespace
  foresail.core.apply:
    manifest: {apiVersion: v1, kind: Namespace, metadata: {name: redis}}
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
