"""Documentation of the action `foresail.core.logs`; it runs in `plugins/action/logs.py`, never as a module."""

DOCUMENTATION = """
module: logs
short_description: Read the log of a pod
description:
  - Keeps it in a file of the artifacts when one is named.
options:
  name:
    description: The pod.
    type: str
    required: true
  namespace:
    description: Its namespace; that of the kubeconfig when not given.
    type: str
  container:
    description: The container, where there are several.
    type: str
  previous:
    description: The log of the container before its last restart.
    type: bool
    default: false
  tail_lines:
    description: How many lines, from the end.
    type: int
  file:
    description: Where to keep it, below the artifact directory.
    type: str
author:
  - The Foresail authors
"""

EXAMPLES = """
- name: Keep the log of the server
  foresail.core.logs:
    name: redis-0
    namespace: redis
    file: artifacts/redis.log
"""

RETURN = """
text:
  description: The log.
  type: str
  returned: always
"""
