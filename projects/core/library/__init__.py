"""What an orchestration imports: env, config, run, export, entrypoint."""
