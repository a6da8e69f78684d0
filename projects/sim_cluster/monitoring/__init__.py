"""The monitoring of a simulated OpenShift: Prometheus' API on series that are computed from the load that is played.

`history` remembers pods and nodes, `series` says what their metrics are at a time, `parsing` and `evaluation` are the subset of
PromQL that is understood, `answers` is the HTTP API. What is not understood is refused, never guessed.
"""
