"""A small, whole orchestration: how fast do pods get ready? Copy it to begin a project of your own."""
