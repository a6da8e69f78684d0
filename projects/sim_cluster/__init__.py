"""The simulated cluster: an API in one process, and behaviours that play what stands behind it.

``api`` and ``behaviours`` know nothing of each other; ``in_process`` joins them, ``shapes`` says what a
cluster starts with, ``server`` runs it all in one event loop, ``cli`` is ``python3 -m projects.sim_cluster``.
Tests that want a cluster in their own process use `projects.sim_cluster.running.running_cluster`.
"""
