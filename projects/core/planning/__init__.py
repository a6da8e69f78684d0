"""A plan: what a run would do, found out by the run itself with every side effect closed; and what it needs of the cluster."""
