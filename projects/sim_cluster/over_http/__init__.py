"""The behaviours' interface over HTTP, for any Kubernetes API. `cluster` implements it; `connection` sends, `watching` watches."""
