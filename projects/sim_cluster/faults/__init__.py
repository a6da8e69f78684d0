"""What goes wrong: the layer that hurts requests before they reach either API, and the behaviours that break what stands behind it."""
