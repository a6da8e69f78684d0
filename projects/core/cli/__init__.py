"""What the scripts of the checkout call: one module a script."""
