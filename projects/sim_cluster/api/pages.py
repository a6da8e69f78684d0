"""Lists: selected, cut into pages of one consistent snapshot, with continue tokens. Called by `resources`."""

from __future__ import annotations

import base64
import binascii
import json
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from projects.sim_cluster.api.errors import (
    ApiError,
    Cause,
    bad_request,
    expired,
    forbidden_change,
    invalid_options,
    not_supported,
)
from projects.sim_cluster.api.kinds import Kind
from projects.sim_cluster.api.requests import ListOptions, Page
from projects.sim_cluster.api.selectors import Matches, field_selector, label_selector
from projects.sim_cluster.api.store import Store, Stored

_SNAPSHOTS: Final = 200  # lists that are being read page by page at the same time
_EXPIRED: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def matching(kind: Kind, options: ListOptions) -> Matches | None:
    """Return the match function of a list's selectors, None when it has none."""
    tests = []
    if options.labels:
        tests.append(label_selector(options.labels))
    if options.fields:
        tests.append(field_selector(options.fields, kind))
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda obj: all(test(obj) for test in tests)


Found = list[Stored]


class Pager:
    """Lists of a store, with the snapshots that later pages are cut from."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._snapshots: OrderedDict[tuple[int, str], Found] = OrderedDict()
        self._next = 0

    def list(self, kind: Kind, namespace: str, options: ListOptions) -> Page:
        """Return a page of a list; all of it without a limit."""
        if causes := _match_causes(options):
            raise invalid_options("ListOptions", causes)
        self._check_version(options)
        if options.continue_token:
            return self._continue(kind, options)
        found = self.store.list(kind.storage, namespace)
        if (matches := matching(kind, options)) is not None:
            found = [stored for stored in found if matches(stored.object)]
        page = self._cut(kind, found, 0, self.store.version, options.limit, "")
        return page if matches is None else replace(page, remaining=0)

    def _cut(self, kind: Kind, found: Found, start: int, version: int, limit: int, snapshot: str) -> Page:
        end = start + limit if limit else len(found)
        if end >= len(found):
            return Page(kind, found[start:end], version)
        if not snapshot:
            self._next += 1
            snapshot = str(self._next)
            self._snapshots[version, snapshot] = found
            if len(self._snapshots) > _SNAPSHOTS:
                self._snapshots.popitem(last=False)
        token = {"v": "meta.k8s.io/v1", "rv": version, "start": end, "snapshot": snapshot}
        encoded = base64.urlsafe_b64encode(json.dumps(token, separators=(",", ":")).encode()).rstrip(b"=").decode()
        return Page(kind, found[start:end], version, encoded, len(found) - end)

    def _continue(self, kind: Kind, options: ListOptions) -> Page:
        version, start, snapshot = _decoded(options.continue_token)
        found = self._snapshots.get((version, snapshot))
        if found is None:
            raise expired(_EXPIRED)
        page = self._cut(kind, found, start, version, options.limit, snapshot)
        return replace(page, remaining=0) if options.labels or options.fields else page

    def _check_version(self, options: ListOptions) -> None:
        if not options.version:
            return
        if not options.version.isdigit():
            shown = f'"{options.version}"'
            why = f"resourceVersion: Invalid value: {shown}: strconv.ParseUint: parsing {shown}: invalid syntax"
            raise bad_request(f"invalid resource version: {why}")
        if options.continue_token:
            if int(options.version):
                raise bad_request("specifying resource version is not allowed when using continue")
            return
        if int(options.version) > self.store.version:
            raise too_large(int(options.version), self.store.version)


def _match_causes(options: ListOptions) -> list[Cause]:
    field, match, causes = "resourceVersionMatch", options.version_match, []
    if match and not options.version:
        causes.append(forbidden_change(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and options.continue_token:
        causes.append(forbidden_change(field, "resourceVersionMatch is forbidden when continue is provided"))
    if match not in {"", "Exact", "NotOlderThan"}:
        causes.append(not_supported(field, f'"{match}"', ["Exact", "NotOlderThan", ""]))
    if match == "Exact" and options.version == "0":
        causes.append(forbidden_change(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if options.initial_events:
        causes.append(forbidden_change("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return causes


def too_large(wanted: int, current: int) -> ApiError:
    """Return 504 of a version that is yet to come."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    return ApiError(504, "Timeout", f"Timeout: Too large resource version: {wanted}, current: {current}", details)


def _decoded(token: str) -> tuple[int, int, str]:
    try:
        decoded = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(decoded["rv"]), int(decoded["start"]), str(decoded["snapshot"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        message = "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"
        raise bad_request(message) from None
