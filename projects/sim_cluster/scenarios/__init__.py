"""What a cluster goes through, as data: its shape, its catalog, its timings, its programs, its faults, and what is expected of an orchestration."""
