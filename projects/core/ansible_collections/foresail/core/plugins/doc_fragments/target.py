"""The documentation of the arguments that say which objects are meant."""


class ModuleDocFragment:
    """Arguments of the actions on one object, or on those of a selector."""

    DOCUMENTATION = """
options:
  kind:
    description: The kind, such as C(Pod); a plural or short name, with its group where several have it, is understood.
    type: str
    required: true
  api_version:
    description: Group and version, such as C(apps/v1). Without it the server's preferred version.
    type: str
  name:
    description: Name of the one object.
    type: str
  namespace:
    description: Namespace. Without it, that of the kubeconfig for one object, all of them for a selector.
    type: str
  label_selector:
    description: Labels of the objects, such as C(app=redis).
    type: str
  field_selector:
    description: Fields of the objects, such as C(status.phase=Running).
    type: str
"""
