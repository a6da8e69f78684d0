"""Documentation of the action `foresail.core.plan_scale`; it runs in `plugins/action/plan_scale.py`, never as a module."""

DOCUMENTATION = """
module: plan_scale
short_description: Plan how to get to a number of machines of one type
description:
  - Reads MachineSets that C(foresail.core.get) has read; touches nothing.
options:
  machine_sets:
    description: The MachineSets of the cluster.
    type: list
    elements: dict
    required: true
  instance_type:
    description: Cloud machine type.
    type: str
    required: true
  scale:
    description: Number of machines wanted.
    type: int
    required: true
  base_machineset:
    description: MachineSet from which a new one is derived; one of workers when empty.
    type: str
    default: ""
  force:
    description: Whether other MachineSets of the type may be reduced to zero.
    type: bool
    default: false
  taint:
    description: Taint of the nodes of a new MachineSet, as key, value and effect.
    type: dict
  name:
    description: Name of a new MachineSet; made of the base's and the type when empty.
    type: str
    default: ""
  spot:
    description: Whether a new MachineSet asks for spot instances.
    type: bool
    default: false
  disk_size:
    description: Size of the root disk of a new MachineSet, in GiB.
    type: int
  ibm:
    description: Whether the cloud has to be IBM's; the base MachineSet says which it is.
    type: bool
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Plan the scale
  foresail.core.plan_scale:
    machine_sets: "{{ machine_sets.objects }}"
    instance_type: m6i.2xlarge
    scale: 3
"""

RETURN = """
delete:
  description: Name of a MachineSet that is in the way.
  type: str
  returned: always
create:
  description: The MachineSet to make.
  type: dict
  returned: always
replicas:
  description: Replicas to set, by MachineSet.
  type: dict
  returned: always
machine_sets:
  description: The MachineSets whose machines are to be waited for.
  type: list
  returned: always
"""
