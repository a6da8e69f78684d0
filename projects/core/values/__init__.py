"""The lowest room of the core: values without behaviour that every other room may import."""
