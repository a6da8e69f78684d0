"""KWOK ``Stage`` documents as behaviours: what objects become, as templates and selectors in YAML say."""
