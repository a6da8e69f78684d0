#!/usr/bin/env -S sh -c 'exec "$(dirname "$(readlink -f "$0")")/../../../testing/python" "$0" "$@"'
"""The orchestration of the skeleton: prepare a namespace, start pods, measure how fast they get ready, tell the result."""

from __future__ import annotations

import sys
from pathlib import Path

from projects.core.library import common, config, env, export, run
from projects.core.library.entrypoint import entrypoint, main
from projects.skeleton.library import namespace, pod_startup
from projects.skeleton.visualizations import pod_startup as visualization


@entrypoint(may_be_empty=True)
def pre_cleanup_ci() -> None:
    """Remove what an earlier run has left on the cluster."""
    cleanup()


@entrypoint()
def prepare_ci() -> None:
    """Prepare the cluster and the namespace for running the test."""
    with run.Parallel("prepare") as parallel:
        parallel.delayed(run.run_toolbox, "cluster", "capture_environment")
        parallel.delayed(prepare_namespace)


@entrypoint()
def test_ci() -> None:
    """Start the pods, measure, capture, and turn the results into KPIs."""
    get = config.project.get_config
    try:
        with (
            common.captured("_after", enabled=get("tests.capture_state")),
            env.NextArtifactDir("pod_startup") as directory,
        ):
            measure(directory)
        if get("tests.visualize"):
            generate_plots(str(directory))
    finally:
        if get("clusters.cleanup_on_exit"):
            cleanup()


@entrypoint(may_be_empty=True)
def post_cleanup_ci() -> None:
    """Remove what the test has left on the cluster."""
    cleanup()


@entrypoint()
def generate_plots_from_pr_args() -> None:
    """Turn the results in the artifact directory into KPIs once more."""
    generate_plots(str(env.ARTIFACT_DIR))


@entrypoint()
def generate_plots(results_dirname: str) -> None:
    """Turn results into KPIs and plots.

    Args:
      results_dirname: Directory with the results, at any depth.
    """
    with env.NextArtifactDir("plots") as directory:
        for kpi in visualization.generate(Path(results_dirname), directory):
            print(f"{kpi.name}: {kpi.value:.3f} {kpi.unit}")


@entrypoint(may_be_empty=True)
def export_artifacts(artifacts_dirname: str) -> None:
    """Copy an artifact directory to where artifacts are kept.

    Args:
      artifacts_dirname: The directory.
    """
    export.export_artifacts(Path(artifacts_dirname))


def prepare_namespace() -> None:
    """Make the namespace, with what the test wants in it."""
    if config.project.get_config("prepare.redis.enabled"):
        run.run_toolbox_from_config("server", "deploy_redis_server")
    if config.project.get_config("prepare.preload.enabled"):
        run.run_toolbox_from_config("cluster", "preload_image")


def measure(directory: Path) -> None:
    """Run the test with the configured number of pods."""
    pods = config.project.get_config("tests.pods")
    result = pod_startup.measure(
        directory,
        namespace=config.project.get_config("skeleton.namespace"),
        count=pods["count"],
        image=pods["image"],
        timeout=pods["timeout"],
    )
    print(visualization.describe(result))


def cleanup() -> None:
    """Remove the namespace, and wait until it is gone."""
    with env.NextArtifactDir("cleanup"):
        name = config.project.get_config("skeleton.namespace")
        removed = namespace.remove(name)
        print(f"namespace {name}: {'removed' if removed else 'was not there'}")


if __name__ == "__main__":
    sys.exit(
        main(
            pre_cleanup_ci,
            prepare_ci,
            test_ci,
            post_cleanup_ci,
            generate_plots_from_pr_args,
            generate_plots,
            export_artifacts,
        )
    )
