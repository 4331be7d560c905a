"""What comes out of a run: exit statuses, streams, and files that their readers can read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from harness import ROOT, SMALLEST, Done, call

FAILING = SMALLEST.replace("status: 200", "status: 404")
BAD = SMALLEST.replace("steps:", "stepz:")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a scenario that passes, one that fails and one that is bad."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, text in (("good", SMALLEST), ("failing", FAILING), ("bad", BAD)):
        (folder / f"{name}.scenario.yaml").write_text(text)
    return folder


def test_results_keep_to_the_published_schema(
    run: Callable[..., Done], mixed: Path, tmp_path: Path
) -> None:
    schema = json.loads((ROOT / "schema" / "results.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    for paths in (["scenarios"], [mixed], [tmp_path / "missing.scenario.yaml"]):
        results = run(*paths, "--json").results
        errors = [error.message for error in Draft7Validator(schema).iter_errors(results)]
        assert errors == []


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["good"], 0),
        (["failing"], 1),
        (["bad"], 4),
        (["good", "failing"], 1),
        (["good", "bad"], 4),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
def test_exit_status(run: Callable[..., Done], mixed: Path, names: list[str], status: int) -> None:
    paths = [mixed / f"{name}.scenario.yaml" for name in names]
    assert run(*paths).status == status


def test_nothing_selected_is_5_never_0(run: Callable[..., Done], mixed: Path) -> None:
    assert run(mixed / "good.scenario.yaml", "--filter", "nowhere").status == 5


def test_an_empty_folder_is_5(run: Callable[..., Done], tmp_path: Path) -> None:
    assert run(tmp_path).status == 5


def test_bad_usage_is_4(program: Path) -> None:
    for arguments in (["run", "--no-such-option"], ["no-such-command"], ["run", "--seed", "x"]):
        done = call(program, arguments)
        assert done.status == 4, done
        assert done.stderr


def test_a_report_that_cannot_be_written_says_where(
    run: Callable[..., Done], smallest: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(smallest, "--report", tmp_path / "file" / "report")
    assert done.status in {3, 4}
    assert f"{tmp_path}/file/report" in done.stderr


def test_json_has_stdout_for_itself(run: Callable[..., Done], mixed: Path) -> None:
    done = run(mixed, "--json")
    assert done.results["summary"] == {
        "total": 3,
        "passed": 1,
        "failed": 1,
        "errors": 1,
        "skipped": 0,
        "known": 0,
    }


def test_no_escapes_where_there_is_no_terminal(run: Callable[..., Done], mixed: Path) -> None:
    assert "\x1b" not in run(mixed).stdout


def test_a_failure_is_explained(run: Callable[..., Done], mixed: Path) -> None:
    done = run(mixed / "failing.scenario.yaml")
    for part in ("expected  404", "seen      200", "failing.scenario.yaml:17:", "replay: "):
        assert part in done.stdout
    assert "the last events before it" in done.stdout


def test_the_replay_command_repeats_the_failure(
    run: Callable[..., Done], program: Path, mixed: Path
) -> None:
    (failed,) = run(mixed / "failing.scenario.yaml", "--seed", "11", "--json").results["runs"]
    words = failed["replay"].split()
    assert words[:2] == ["meshproof", "run"]

    again = call(program, [*words[1:], "--json"])

    assert again.status == 1
    (repeated,) = again.results["runs"]
    assert repeated["seed"] == 11
    assert repeated["trace_hash"] == failed["trace_hash"]


def test_junit_is_read_by_an_xml_parser(
    run: Callable[..., Done], mixed: Path, tmp_path: Path
) -> None:
    run(mixed, "--report", tmp_path / "report")
    suites = ElementTree.parse(tmp_path / "report" / "junit.xml").getroot()
    cases = suites.findall(".//testcase")
    assert len(cases) == 3
    assert all(case.get("name") and case.get("classname") for case in cases)
    assert (suites.get("failures"), suites.get("errors")) == ("1", "1")


def test_an_interrupt_is_2(program: Path, tmp_path: Path) -> None:
    for number in range(2_000):
        (tmp_path / f"s{number}.scenario.yaml").write_text(SMALLEST)
    child = subprocess.Popen(
        [program, "run", tmp_path, "-j", "1"],
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A shell starts background jobs with SIGINT ignored, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert child.stdout is not None
    child.stdout.readline()  # it has begun
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 2
