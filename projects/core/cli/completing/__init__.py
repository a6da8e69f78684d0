"""What may stand at the end of an unfinished line. Asked by the scripts that shells load: `python -m projects.core.cli.completing`."""
