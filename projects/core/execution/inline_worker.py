"""A task's worker without a process of its own. Put in place of Ansible's by `play`, in the warm host's forks.

Ansible forks a worker for each task, to run tasks of many hosts side by side. A fork of the warm host runs one play
for one host, so it is a worker already: a second fork isolates nothing and costs more than most tasks (measured: 30 ms a
task with it, 12 ms without, since every page that the worker touches is copied once more). What the worker's copy of the
memory protects, the task, is copied here instead; connections to the API stay open from task to task.
"""

from __future__ import annotations

from ansible.executor.process import worker
from ansible.executor.task_executor import TaskExecutor


class InlineWorker(worker.WorkerProcess):
    """Runs its task in `start`, in this process, and puts the result where the strategy expects it."""

    exitcode = 0
    """The strategy takes a worker with another one for dead."""
    executor = TaskExecutor
    """What executes the task."""

    def start(self) -> None:
        """Run the task and queue its result."""
        task = self._task.copy()
        with worker._task.TaskContext(task):  # noqa: SLF001 - what a worker's own `run` enters
            result = self.executor(
                self._host,
                task,
                self._task_vars,
                self._play_context,
                self._loader,
                self._shared_loader_obj,
                self._final_q,
                self._variable_manager,
            ).run()
        raw = worker._RawTaskResult(  # noqa: SLF001 - what a worker's own `run` sends
            host=self._host, task=task, return_data=result, task_fields=task.dump_attrs()
        )
        self._final_q.send_task_result(raw)

    def is_alive(self) -> bool:
        """Return False: when `start` has returned, the task has ended."""
        return False
