"""Documentation of the action `foresail.core.plan_operator`; it runs in `plugins/action/plan_operator.py`, never as a module."""

DOCUMENTATION = """
module: plan_operator
short_description: Choose which version of an operator to install, and how
description:
  - Reads the package of a catalog and the OperatorGroups of a namespace; touches nothing.
options:
  package:
    description: The PackageManifest.
    type: dict
    required: true
  namespace:
    description: Namespace of the operator.
    type: str
    required: true
  channel:
    description: The channel; the default one when empty. C(?) fails with a list of them.
    type: str
    default: ""
  version:
    description: The version; the newest of the channel when empty.
    type: str
    default: ""
  csv_base_name:
    description: What the ClusterServiceVersion is called before its version, where the catalog lists no versions.
    type: str
  all_namespaces:
    description: Whether the operator watches all namespaces.
    type: bool
    default: false
  own_group:
    description: Whether the namespace needs an OperatorGroup of ours.
    type: bool
    default: true
  operator_groups:
    description: The OperatorGroups of the namespace.
    type: list
    elements: dict
    default: []
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Choose the version
  foresail.core.plan_operator:
    package: "{{ package.object }}"
    namespace: nvidia-gpu-operator
"""

RETURN = """
channel:
  description: The channel.
  type: str
  returned: always
csv:
  description: Name of the ClusterServiceVersion.
  type: str
  returned: always
operator_group:
  description: The OperatorGroup to make.
  type: dict
  returned: when there is none yet
"""
