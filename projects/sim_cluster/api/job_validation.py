"""What Jobs and CronJobs must hold beside their pods. Called by `validation`."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import Any, Final

from projects.sim_cluster.api.checks import Causes, choice, not_negative
from projects.sim_cluster.api.errors import Cause, invalid_value, not_supported, required
from projects.sim_cluster.api.kinds import Object
from projects.sim_cluster.api.names import shown
from projects.sim_cluster.api.pod_validation import RESTART

_COUNTS: Final = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
                  "backoffLimitPerIndex", "maxFailedIndexes")  # fmt: skip
_MOST_PARALLEL: Final = 100_000
_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_LONGEST_CRON_NAME: Final = 52
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Final[tuple[dict[str, int], ...]] = (
    {},
    {},
    {},
    {name: i + 1 for i, name in enumerate(_MONTHS)},
    {name: i for i, name in enumerate(_DAYS)},
)
_DESCRIPTORS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def job(obj: Object) -> Causes:
    """Check a Job."""
    spec = obj.get("spec") or {}
    yield from job_spec(spec, "spec")
    if spec.get("manualSelector"):
        if not spec.get("selector"):
            yield required("spec.selector")
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
        if not spec.get("selector"):
            message = "`selector` does not match template `labels`"
            yield invalid_value("spec.template.metadata.labels", shown(labels), message)


def job_spec(spec: Object, path: str) -> Causes:
    """Check the spec of a Job, or of what a CronJob makes."""
    for field in _COUNTS:
        yield from not_negative(spec.get(field), f"{path}.{field}")
    yield from choice(spec.get("completionMode"), f"{path}.completionMode", ("NonIndexed", "Indexed"))
    yield from _of_mode(spec, path)
    yield from choice(
        spec.get("podReplacementPolicy"), f"{path}.podReplacementPolicy", ("Failed", "TerminatingOrFailed")
    )
    manager = spec.get("managedBy")
    if manager is not None and not re.fullmatch(r"[^/]+\.[^/]+/.+", manager):
        message = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid_value(f"{path}.managedBy", shown(manager), message)
    yield from _failure_policy(spec, path)


def _of_mode(spec: Object, path: str) -> Causes:
    if spec.get("completionMode") == "Indexed":
        if spec.get("completions") is None:
            yield required(f"{path}.completions", "when completion mode is Indexed")
        elif (parallel := spec.get("parallelism", 1)) > _MOST_PARALLEL:
            message = f"must be less than or equal to {_MOST_PARALLEL} when completion mode is Indexed"
            yield invalid_value(f"{path}.parallelism", shown(parallel), message)
        return
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
        if spec.get(field) is not None:
            yield invalid_value(f"{path}.{field}", shown(spec[field]), "requires indexed completion mode")
    if spec.get("successPolicy") is not None:
        said = {"Rules": spec["successPolicy"].get("rules")}
        yield invalid_value(f"{path}.successPolicy", shown(said), "requires indexed completion mode")


def _failure_policy(spec: Object, path: str) -> Causes:
    policy = spec.get("podFailurePolicy")
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        at = f"{path}.podFailurePolicy.rules[{index}]"
        yield from choice(rule.get("action", ""), f"{at}.action", _ACTIONS)
        if not rule.get("onExitCodes") and not rule.get("onPodConditions"):
            message = "Invalid value: specifying one of OnExitCodes and OnPodConditions is required"
            yield Cause(at, "FieldValueInvalid", message)
    restart = _pod(spec).get("restartPolicy")
    if policy is not None and restart == "OnFailure":
        message = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid_value(f"{path}.template.spec.restartPolicy", shown(restart), message)


def _pod(spec: Object) -> Object:
    found: Any = (spec.get("template") or {}).get("spec") or {}
    return dict(found)


def ends(spec: Object, path: str) -> Causes:
    """Check that the pods of a Job end at all."""
    policy = _pod(spec).get("restartPolicy")
    at = f"{path}.template.spec.restartPolicy"
    if policy in {None, "Always"}:
        yield required(at, 'valid values: "OnFailure", "Never"')
    elif policy not in RESTART:
        yield not_supported(at, shown(policy), ("OnFailure", "Never"))


def cron_job(obj: Object) -> Causes:
    """Check a CronJob."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    if len(name) > _LONGEST_CRON_NAME:
        message = f"must be no more than {_LONGEST_CRON_NAME} characters"
        yield invalid_value("metadata.name", shown(name), message)
    yield from _schedule(spec)
    for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(spec.get(field), f"spec.{field}")
    yield from choice(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", ("Allow", "Forbid", "Replace"))
    yield from job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _schedule(spec: Object) -> Causes:
    schedule, zone = spec.get("schedule", ""), spec.get("timeZone")
    if not schedule:
        yield required("spec.schedule")
    elif "TZ" in schedule:
        message = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid_value("spec.schedule", shown(schedule), message)
    elif wrong := _schedule_error(schedule):
        yield invalid_value("spec.schedule", shown(schedule), wrong)
    if zone is not None and zone not in _zones():
        yield invalid_value("spec.timeZone", shown(zone), f"unknown time zone {zone}")


def _schedule_error(schedule: str) -> str:
    if schedule.startswith("@"):
        known = schedule in _DESCRIPTORS or re.fullmatch(r"@every ([\d.]+(ns|us|ms|s|m|h))+", schedule)
        return "" if known else f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != len(_BOUNDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    found = (_field_error(part, place) for place, field in enumerate(fields) for part in field.split(","))
    return next(filter(None, found), "")


def _field_error(text: str, place: int) -> str:
    least, most = _BOUNDS[place]
    interval, _, step = text.partition("/")
    if interval in {"*", "?"}:
        first, last = least, most
    else:
        low, dash, high = interval.partition("-")
        numbers = [_number(part, place) for part in ([low, high] if dash else [low])]
        if None in numbers:
            bad = low if numbers[0] is None else high
            return f'failed to parse int from {bad}: strconv.Atoi: parsing "{bad}": invalid syntax'
        first, last = numbers[0] or 0, numbers[-1] or 0
        last = most if step and not dash else last
    if step and (not step.isdigit() or not int(step)):
        return f"step of range should be a positive number: {text}"
    if first < least:
        return f"beginning of range ({first}) below minimum ({least}): {text}"
    if last > most:
        return f"end of range ({last}) above maximum ({most}): {text}"
    return f"beginning of range ({first}) beyond end of range ({last}): {text}" if first > last else ""


def _number(text: str, place: int) -> int | None:
    return _NAMES[place].get(text.lower(), int(text) if text.isdigit() else None)
