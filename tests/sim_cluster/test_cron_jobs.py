"""Cron schedules, and the Jobs that CronJobs start on the cluster's clock."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from projects.sim_cluster.behaviours.schedules import next_time
from tests.sim_cluster.test_workloads import TEMPLATE, Stage, play, status

PATH = "batch/cronjobs"


def at(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("* * * * *", "2026-11-22T10:00:30", "2026-11-22T10:01:00"),
        ("*/15 * * * *", "2026-11-22T10:00:00", "2026-11-22T10:15:00"),
        ("5-10/5,30 8 * * *", "2026-11-22T08:06:00", "2026-11-22T08:10:00"),
        ("0 0 29 2 *", "2026-11-22T10:00:00", "2028-02-29T00:00:00"),
        ("0 12 * * mon-fri", "2026-11-22T10:00:00", "2026-11-23T12:00:00"),
        ("0 0 13 * 5", "2026-11-22T10:00:00", "2026-11-27T00:00:00"),
        ("@hourly", "2026-11-22T10:00:00", "2026-11-22T11:00:00"),
        ("0 0 1 jan ?", "2026-11-22T10:00:00", "2027-01-01T00:00:00"),
        ("0 0 * * 7", "2026-11-22T10:00:00", "2026-11-29T00:00:00"),
    ],
)
def test_the_next_time(schedule: str, after: str, expected: str) -> None:
    assert next_time(schedule, at(after), UTC) == at(expected)


def test_times_are_those_of_the_zone_and_some_never_come() -> None:
    assert next_time("0 12 * * *", at("2026-11-22T10:30:00"), timezone(timedelta(hours=1))) == at("2026-11-22T11:00:00")
    assert next_time("0 0 30 2 *", at("2026-11-22T10:00:00"), UTC) is None


def cron(**spec: Any) -> dict[str, Any]:
    template = {"spec": {"template": {"spec": TEMPLATE["spec"] | {"restartPolicy": "Never"}}}}
    return {"metadata": {"name": "c"}, "spec": {"schedule": "* * * * *", "jobTemplate": template, **spec}}


def jobs(stage: Stage) -> list[dict[str, Any]]:
    return stage.all("batch/jobs")


def test_a_job_each_minute_and_no_more_than_are_kept() -> None:
    async def script(stage: Stage) -> None:
        stage.create(PATH, cron(successfulJobsHistoryLimit=1))
        await stage.until("a job", lambda: jobs(stage))
        first = jobs(stage)[0]
        due = datetime.fromisoformat(
            first["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        )
        assert first["metadata"]["name"] == f"c-{int(due.timestamp()) // 60}"
        assert due.second == 0
        await stage.until(
            "two done", lambda: first["metadata"]["name"] not in {job["metadata"]["name"] for job in jobs(stage)}
        )
        await stage.until("success", lambda: status(stage, PATH, "c").get("lastSuccessfulTime"))
        wanted = {"SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"}
        await stage.until("events", lambda: wanted <= {
            event["reason"] for event in stage.all("events") if event["involvedObject"]["kind"] == "CronJob"})  # fmt: skip

    play(script)


def test_a_suspended_one_starts_nothing_and_a_forbidding_one_not_two() -> None:
    async def script(stage: Stage) -> None:
        stage.create(PATH, cron(suspend=True))
        long = cron(concurrencyPolicy="Forbid")
        long["metadata"]["name"] = "long"
        stage.create(PATH, long)
        await stage.until(
            "refused", lambda: any(event["reason"] == "JobAlreadyActive" for event in stage.all("events"))
        )
        assert [job["metadata"]["ownerReferences"][0]["name"] for job in jobs(stage)] == ["long"]
        assert len(status(stage, PATH, "long")["active"]) == 1

    play(script, job_pod_run=600)
