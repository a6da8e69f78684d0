"""The core of Foresail: what every orchestration stands on, in rooms that import downwards only."""
