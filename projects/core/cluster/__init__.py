"""Access to the cluster: client, discovery, apply, watch, waits and typed errors. Used by the Ansible action plugins."""
