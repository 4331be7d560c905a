"""The fixture's object: run a scenario from a test and look at what happened."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meshproof.program import Program
from meshproof.results import Report, RunResult

Scenario = str | os.PathLike[str] | Mapping[str, Any]


class BadScenarioError(Exception):
    """The scenario could not be judged. `result.errors` has all that is wrong with it."""

    def __init__(self, result: RunResult) -> None:
        self.result = result
        super().__init__(str(result))


class Meshproof:
    """Runs scenarios through the program.

    A scenario is a path, a mapping in the shape of a scenario file, or the text of one. Text and
    mappings are written to `scratch`, so files that they name are looked for there.
    """

    def __init__(self, program: Program, scratch: Path) -> None:
        self._program = program
        self._scratch = scratch
        self._written = 0

    def run(self, scenario: Scenario, seed: int = 0, filter: str | None = None) -> RunResult:
        """Run a scenario that has one variant, or of which `filter` leaves one.

        Raises BadScenarioError where it could not be judged. A broken expectation is no exception:
        `assert result.passed` shows it.
        """
        report = self.run_all(scenario, seed, filter)
        if len(report.runs) != 1:
            ids = ", ".join(run.id for run in report.runs) or "none"
            raise ValueError(f"run() is for exactly one run, this gave: {ids}; see run_all()")
        (result,) = report.runs
        if result.outcome == "error":
            raise BadScenarioError(result)
        return result

    def run_all(self, scenario: Scenario, seed: int = 0, filter: str | None = None) -> Report:
        """Run a scenario in all its variants, or every scenario under a folder."""
        return self._program.run([self._path_of(scenario)], seed=seed, filter=filter)

    def _path_of(self, scenario: Scenario) -> Path:
        if isinstance(scenario, Mapping):
            return self._write(json.dumps(scenario, indent=2))
        if isinstance(scenario, str) and "\n" in scenario:
            return self._write(scenario)
        return Path(scenario)

    def _write(self, text: str) -> Path:
        self._written += 1
        path = self._scratch / f"inline-{self._written}.scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return path
