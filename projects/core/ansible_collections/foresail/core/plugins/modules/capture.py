"""Documentation of the action `foresail.core.capture`; it runs in `plugins/action/capture.py`, never as a module."""

DOCUMENTATION = """
module: capture
short_description: Read much of the cluster at once, into files
description:
  - The reads happen in parallel, each once. Kinds that the server does not serve are skipped; a read that fails does not cost the others.
  - What was skipped or failed is listed in the result and in C(_capture.yaml) beside the files.
options:
  directory:
    description: Where the files go, below the artifact directory.
    type: str
    default: .
  strict:
    description: Fail, after all else has been read, when a read failed. A capture that explains another failure is not strict.
    type: bool
    default: true
  reads:
    description: What to read. One that has no kind reads the server's version, as C(oc version) prints it.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: The kind.
        type: str
      api_version:
        description: Group and version. Without it the server's preferred version.
        type: str
      name:
        description: Name of the one object.
        type: str
      namespace:
        description: Namespace; all of them when not given.
        type: str
      label_selector:
        description: Labels of the objects.
        type: str
      field_selector:
        description: Fields of the objects.
        type: str
      files:
        description: File names; the ending says the format. C(.status) is what C(kubectl get -o wide) prints, C(.yaml), C(.yml), C(.json) the objects, C(.desc) the objects with their events, C(.names) their names, C(.log) the logs of pods.
        type: list
        elements: str
        default: []
      fields:
        description: Fields that get a file each, as file name and path.
        type: dict
        default: {}
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Capture the nodes
  foresail.core.capture:
    reads:
      - {kind: Node, files: [nodes.status, nodes.yaml, nodes.json]}
      - {fields: {ocp.version: openshiftVersion}, files: [ocp_version.yml]}
"""

RETURN = """
files:
  description: The files that were written.
  type: list
  returned: always
skipped_reads:
  description: What was not there, and why.
  type: dict
  returned: always
errors:
  description: What failed, and why.
  type: dict
  returned: always
"""
