"""What a post-mortem needs of the cluster, captured when a step has failed."""
