"""Files of a checkout that are written for a test, loaded, and the errors in them told."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from projects.core.configuration.layers import Configuration
from projects.core.configuration.loading import Loaded, Sources, load
from projects.core.configuration.project import Project
from projects.core.values.errors import ConfigError


def write(file: Path, text: str | None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


@dataclass
class Checkout:
    """The files a configuration comes from; `root`, `local` and `pr` may be missing."""

    directory: Path

    def files(
        self,
        project: str,
        *,
        root: str | None = None,
        local: str | None = None,
        pr: str | None = None,
        schema: str | None = None,
        template: str | None = None,
        presets: tuple[str, ...] = (),
        settings: tuple[str, ...] = (),
    ) -> Sources:
        write(self.directory / "config.yaml", root)
        write(self.directory / "variable_overrides.yaml", local)
        write(self.directory / "artifacts" / "variable_overrides.yaml", pr)
        file = write(self.directory / "projects" / "one" / "testing" / "config.yaml", project)
        write(file.with_name("config.schema.yaml"), schema)
        write(file.with_name("command_args.yaml.j2"), template)
        return Sources(
            file,
            root=self.directory,
            artifacts=self.directory / "artifacts",
            presets_of_pull_request=True,
            presets=presets,
            settings=settings,
        )

    def load(self, project: str, **files: Any) -> Loaded:
        return load(self.files(project, **files))

    def project(self, project: str, **files: Any) -> Project:
        return Project(
            self.load(project, **files),
            read_secret=lambda key, file, variable: f"<{key} {file} {variable}>",
            template=self.directory / "projects" / "one" / "testing",
            root=self.directory,
        )

    def data(self, project: str, **files: Any) -> Configuration:
        return self.load(project, **files).configuration

    def problems(self, project: str, **files: Any) -> list[str]:
        """Return the lines of the error, paths below the checkout without it."""
        with pytest.raises(ConfigError) as raised:
            self.load(project, **files)
        return str(raised.value).replace(f"{self.directory}/", "").splitlines()
