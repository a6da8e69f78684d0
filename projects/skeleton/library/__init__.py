"""What the skeleton does on the cluster."""
