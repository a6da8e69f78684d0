"""What OpenShift's aggregated API servers answer beyond storing objects: who am I, image tags, builds, metrics.

`layer` stands before either API and sees the cluster through the behaviours' interface, so that the same answers are given on
the simulated API and on a real one.
"""
