"""The Common Expression Language as Kubernetes speaks it, on cel-python. Imported by `custom_rules` when a definition has rules."""
