"""Rehearsals: an orchestration's entrypoints, run on a simulated cluster, scenario by scenario, and judged."""
