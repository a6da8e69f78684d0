"""Which version of an operator to install, and how, from its PackageManifest. Called by the action `plan_operator`.

Pure functions over the objects: nothing here speaks to the cluster.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from projects.core.values.errors import Conflict, Invalid, NotFound, UsageError
from projects.core.values.nearest import did_you_mean

Object = dict[str, Any]
ALL_NAMESPACES = "AllNamespaces"
OWN_NAMESPACE = "OwnNamespace"
LIST_CHANNELS = "?"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to install: the channel, the ClusterServiceVersion, and how the operator watches namespaces."""

    channel: str
    csv: str
    install_mode: str


def choose(
    package: Object,
    *,
    channel: str = "",
    version: str = "",
    csv_base_name: str | None = None,
    all_namespaces: bool = False,
) -> Choice:
    """Return what to install.

    Args:
      package: The PackageManifest.
      channel: The channel; the package's default one when empty; ``?`` asks which there are.
      version: The version; the channel's newest when empty.
      csv_base_name: What the CSV is called before its version, where the catalog does not list its versions.
      all_namespaces: Whether the operator is to watch all namespaces.

    Raises:
      UsageError: channel or version do not exist, the channels were asked for, or the operator cannot be installed so.
    """
    name = package["metadata"]["name"]
    channels = {str(each["name"]): each for each in package["status"].get("channels") or []}
    default = package["status"].get("defaultChannel") or next(iter(channels), "")
    if channel == LIST_CHANNELS or not channels:
        listed = ", ".join(f"{each} (default)" if each == default else each for each in channels) or "none"
        raise UsageError(f"the channels of {name} are: {listed}", hint="give one of them with --channel")
    if (channel or default) not in channels:
        raise UsageError(f"{name} has no channel {channel or default}", hint=did_you_mean(channel, channels))
    chosen = channels[channel or default]
    csv = _csv(chosen, version, csv_base_name, name) if version else str(chosen["currentCSV"])
    mode = ALL_NAMESPACES if all_namespaces else OWN_NAMESPACE
    _check_mode(chosen, mode, name)
    return Choice(str(chosen["name"]), csv, mode)


def operator_group(existing: Sequence[Object], namespace: str, mode: str) -> Object | None:
    """Return the OperatorGroup to make, or None when the one that is needed is there.

    Args:
      existing: The OperatorGroups of the namespace; there can be only one.
      namespace: The operator's namespace.
      mode: How the operator watches namespaces.

    Raises:
      Conflict: there is one that somebody else made.
    """
    made: Object = {
        "apiVersion": "operators.coreos.com/v1",
        "kind": "OperatorGroup",
        "metadata": {"name": namespace, "namespace": namespace},
        "spec": {} if mode == ALL_NAMESPACES else {"targetNamespaces": [namespace]},
    }
    for each in existing:
        name = each["metadata"]["name"]
        targets = (each.get("spec") or {}).get("targetNamespaces") or []
        if name != namespace:
            watched = ", ".join(targets) or "all namespaces"
            raise Conflict(
                f"the namespace {namespace} has the OperatorGroup {name} of somebody else, which watches {watched}",
                hint="OLM accepts one OperatorGroup a namespace: choose another namespace, or delete that one",
            )
        if targets == (made["spec"].get("targetNamespaces") or []):
            return None
        raise Conflict(
            f"the OperatorGroup {name} watches {', '.join(targets) or 'all namespaces'}, which is not what is asked for",
            hint="the operators of a namespace share its OperatorGroup: choose another namespace",
        )
    return made


def example(csv: Object, index: int) -> Object:
    """Return an example of the operator's custom resources, as its CSV carries them.

    Raises:
      NotFound: there is no such example.
      Invalid: the CSV's examples cannot be read.
    """
    name = csv["metadata"]["name"]
    text = (csv["metadata"].get("annotations") or {}).get("alm-examples") or "[]"
    try:
        examples = json.loads(text)
    except ValueError as error:
        raise Invalid(f"the alm-examples of {name} are not JSON: {error}") from error
    if not 0 <= index < len(examples):
        kinds = ", ".join(f"{number}: {each.get('kind')}" for number, each in enumerate(examples)) or "none"
        raise NotFound(f"{name} has no example {index} of its custom resources; there are: {kinds}")
    found: Object = examples[index]
    return found


def _csv(channel: Object, version: str, base_name: str | None, name: str) -> str:
    current = str(channel["currentCSV"])
    versions = {str(each.get("version")): str(each["name"]) for each in channel.get("entries") or []}
    if described := (channel.get("currentCSVDesc") or {}).get("version"):
        versions.setdefault(str(described), current)
    if version in versions:
        return versions[version]
    if channel.get("entries") and not base_name:
        hint = did_you_mean(version, versions)
        raise UsageError(f"the channel {channel['name']} of {name} has no version {version}", hint=hint)
    return f"{base_name or current.partition('.v')[0]}.v{version}"  # an older OLM lists the newest version only


def _check_mode(channel: Object, mode: str, name: str) -> None:
    modes = (channel.get("currentCSVDesc") or {}).get("installModes") or []
    known = {str(each["type"]): bool(each.get("supported")) for each in modes}
    if known.get(mode, True):
        return
    supported = ", ".join(each for each, able in known.items() if able)
    hint = "--all_namespaces, or --namespace=all" if known.get(ALL_NAMESPACES) else None
    raise UsageError(f"{name} cannot be installed as {mode}; it supports {supported or 'nothing'}", hint=hint)
