"""pytest plugin: every `*.scenario.yaml` file is a test.

The selected files are run by one call of the program, when the first of them is due; a process for
each would cost more than the simulation. A file with variants is one test that shows each variant
that did not pass. A broken expectation is a failure, a bad file an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.api import Meshproof
from meshproof.program import Program, ProgramError, ProgramNotFoundError, find_program
from meshproof.results import RunResult

SUFFIX = ".scenario.yaml"

# A command line has a limit of its own, so very many files take several calls.
FILES_PER_CALL = 1000

# Clauses stand in the head of a file; a huge file must not slow collection down.
HEAD_BYTES = 64 * 1024

RunsByFile = dict[str, list[RunResult]]
_BATCH = pytest.StashKey[RunsByFile | ProgramError]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("meshproof", "scenarios of a mesh gateway")
    group.addoption(
        "--meshproof-program",
        metavar="PATH",
        help="the meshproof program (default: $MESHPROOF, build/meshproof, or on PATH)",
    )
    group.addoption(
        "--meshproof-seed",
        metavar="N",
        type=int,
        help="run the collected scenarios with this seed (default: the program's)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(id): a clause that the scenario shows, e.g. RW-02")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    if not file_path.name.endswith(SUFFIX):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say at once, not once for each scenario, that there is no program."""
    if _scenario_items(session) and not session.config.option.collectonly:
        try:
            _program(session.config)
        except ProgramNotFoundError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.fixture
def meshproof(request: pytest.FixtureRequest, tmp_path: Path) -> Meshproof:
    """Runs scenarios: `result = meshproof.run("file.scenario.yaml", seed=7)`."""
    return Meshproof(_program(request.config), tmp_path)


class ScenarioFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        item = ScenarioItem.from_parent(self, name=self.path.name.removesuffix(SUFFIX))
        for clause in clauses_of(self.path):
            item.add_marker(pytest.mark.clause(id=clause))
            item.extra_keyword_matches.add(clause)
        yield item


class ScenarioItem(pytest.Item):
    _runs: list[RunResult]

    @property
    def argument(self) -> str:
        """The file as the program is told it: short where it lies below the current folder."""
        path = os.path.relpath(self.path, self.config.invocation_params.dir)
        return str(self.path) if path.startswith("..") else path

    def setup(self) -> None:
        batch = _batch_of(self.session)
        if isinstance(batch, ProgramError):
            pytest.fail(str(batch), pytrace=False)
        runs = batch.get(self.argument, [])
        bad = [str(run) for run in runs if run.outcome == "error"]
        if bad:
            pytest.fail("\n".join(bad), pytrace=False)
        if not runs:
            pytest.fail("the program reported no run of this file", pytrace=False)
        self._runs = runs
        for run in runs:
            self.user_properties += [
                ("seed", run.seed),
                ("clauses", ",".join(run.clauses)),
                ("trace_hash", run.trace_hash),
                ("replay", run.replay),
            ]

    def runtest(self) -> None:
        failed = [str(run) for run in self._runs if run.outcome == "failed"]
        if failed:
            pytest.fail("\n".join(failed), pytrace=False)
        skipped = [run for run in self._runs if run.outcome == "skipped"]
        if len(skipped) == len(self._runs):
            pytest.skip("; ".join(dict.fromkeys(run.reason for run in skipped)))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


def clauses_of(path: Path) -> list[str]:
    """The clauses that a scenario file names, for selection only: the program reads the file.

    What is not a list in the head of the file, in either of YAML's two shapes, is not found.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return []
    inline = re.search(r"^clauses:[ \t]*\[([^\]]*)\]", head, re.MULTILINE)
    if inline is not None:
        listed = re.sub(r"#.*", "", inline[1]).split(",")
    else:
        block = re.search(r"^clauses:[ \t]*\n((?:[ \t]*-[ \t]+.*\n?)+)", head, re.MULTILINE)
        listed = [] if block is None else re.findall(r"-[ \t]+([^#\n]*)", block[1])
    names = (name.strip().strip("\"'") for name in listed)
    return [name for name in names if name]


def _program(config: pytest.Config) -> Program:
    path = find_program(config.getoption("--meshproof-program"), config.rootpath)
    return Program(path, config.invocation_params.dir)


def _scenario_items(session: pytest.Session) -> list[ScenarioItem]:
    return [item for item in session.items if isinstance(item, ScenarioItem)]


def _batch_of(session: pytest.Session) -> RunsByFile | ProgramError:
    """The runs of all selected scenarios, by file as the program was told it, or why none are.

    Either is kept: the program is not called again for each of them.
    """
    if _BATCH not in session.stash:
        try:
            session.stash[_BATCH] = _run_batch(session)
        except ProgramError as error:
            session.stash[_BATCH] = error
    return session.stash[_BATCH]


def _run_batch(session: pytest.Session) -> RunsByFile:
    program = _program(session.config)
    seed: int | None = session.config.getoption("--meshproof-seed")
    files = [item.argument for item in _scenario_items(session)]
    runs: RunsByFile = {}
    for start in range(0, len(files), FILES_PER_CALL):
        report = program.run(files[start : start + FILES_PER_CALL], seed=seed)
        for run in report.runs:
            runs.setdefault(run.file, []).append(run)
    return runs
