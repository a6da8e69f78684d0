"""A cluster whose API is a real kube-apiserver: `cluster` puts it together, `control_plane` runs it, `proxy` stands before it."""
