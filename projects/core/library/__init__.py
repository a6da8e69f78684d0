"""What an orchestration imports: env, config, run, export, entrypoint, common."""

from projects.core.console.logs import configure_logging

__all__ = ["configure_logging"]
