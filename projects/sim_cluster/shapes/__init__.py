"""What a cluster starts with: the objects and, on OpenShift, the kinds. Data that `server` writes through the API."""
