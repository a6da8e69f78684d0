"""The behaviours: small declared controllers that play what stands behind the API. They see it only through `interface`."""
