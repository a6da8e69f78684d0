"""The simulated Kubernetes API: kinds, storage, rules and HTTP. It knows nothing of who acts on it."""
