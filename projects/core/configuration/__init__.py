"""The configuration as data: documents, layers, presets, references, templates. Used by projects.core.library.config.

Read in this order: `keys` (how a value is named), `document` (a YAML file with its lines), `rules` (what may replace
what), `presets`, `layering` (who wins), `references`, `sections` and `rendering` (templates), `resolved_files`.
"""
