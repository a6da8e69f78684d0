"""Running things: processes, cancellation, the warm Ansible host and cold Ansible."""
