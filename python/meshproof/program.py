"""Finds and calls the `meshproof` program, of which only the command line is known here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from meshproof.results import Report


class ExitStatus(IntEnum):
    """Of `meshproof run`; the numbers are pytest's own."""

    PASSED = 0
    FAILED = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    BAD_INPUT = 4
    NOTHING_RAN = 5


class ProgramNotFoundError(Exception):
    """There is no program where one was named, or nowhere."""


class ProgramError(Exception):
    """The program gave no results: bad usage, an internal error, or an interrupt."""

    def __init__(self, command: Sequence[str], status: int, stderr: str) -> None:
        self.command = tuple(command)
        self.status = status
        self.stderr = stderr
        ended = f"was ended by signal {-status}" if status < 0 else f"exited with {status}"
        super().__init__(f"{command[0]} {ended} and gave no results\n{stderr}".rstrip())


def find_program(named: str | os.PathLike[str] | None, root: Path) -> Path:
    """The program that was named, or $MESHPROOF, or build/meshproof under `root`, or on PATH."""
    for name, said_by in (
        (named, "--meshproof-program"),
        (os.environ.get("MESHPROOF"), "MESHPROOF"),
    ):
        if name:
            path = Path(name).absolute()
            if not (path.is_file() and os.access(path, os.X_OK)):
                raise ProgramNotFoundError(f"{said_by} names {name}, which is not a program")
            return path
    built = root / "build" / "meshproof"
    if built.is_file():
        return built
    on_path = shutil.which("meshproof")
    if on_path is None:
        raise ProgramNotFoundError(
            f"no meshproof program: none at {built} (make build), none on PATH; "
            "name one with --meshproof-program or MESHPROOF"
        )
    return Path(on_path)


@dataclass(frozen=True)
class Program:
    """The program, and the folder it is called in: paths it prints are relative to that."""

    path: Path
    folder: Path

    def run(
        self,
        scenarios: Sequence[str | os.PathLike[str]],
        *,
        seed: int | None = None,
        filter: str | None = None,
    ) -> Report:
        """Run scenario files or folders and return what was found, whatever the verdicts.

        Raises ProgramError where the program gives no results.
        """
        command = [str(self.path), "run", "--json"]
        if seed is not None:
            command += ["--seed", str(seed)]
        if filter is not None:
            command += ["--filter", filter]
        command += ["--", *(os.fspath(scenario) for scenario in scenarios)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        try:
            results = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise ProgramError(command, done.returncode, done.stderr) from None
        return Report.from_json(results)
