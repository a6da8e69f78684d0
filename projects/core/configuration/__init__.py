"""The configuration as data: layers, presets, references, templates. Used by projects.core.library.config."""
