"""The pytest plugin: scenario files as tests, and scenarios from tests."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from harness import ROOT, SMALLEST
from meshproof.plugin import clauses_of

FAILING = SMALLEST.replace("status: 200", "status: 404").replace("RW-02", "RW-03")
TLS = os.fspath(ROOT / "scenarios/reported/up-53-one-trust-for-all-clients.scenario.yaml")
BAD = SMALLEST.replace("steps:", "stepz:").replace("port: 9080", "port: 65536")


@pytest.fixture
def calls(pytester: pytest.Pytester, program: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one line for each call of the program: its arguments."""
    log = pytester.path / "calls"
    log.touch()
    wrapper = pytester.path / "meshproof-logged"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >>{log}\nexec {program} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("MESHPROOF", os.fspath(wrapper))
    return log


def write(pytester: pytest.Pytester, **scenarios: str) -> None:
    for name, text in scenarios.items():
        (pytester.path / f"{name}.scenario.yaml").write_text(text)


@pytest.mark.usefixtures("calls")
def test_a_pass_a_failure_and_a_bad_file_are_told_apart(pytester: pytest.Pytester) -> None:
    write(pytester, good=SMALLEST, failing=FAILING, bad=BAD)

    result = pytester.runpytest()

    result.assert_outcomes(passed=1, failed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.usefixtures("calls")
def test_a_failure_shows_expected_seen_place_and_replay(pytester: pytest.Pytester) -> None:
    write(pytester, failing=FAILING)

    result = pytester.runpytest()

    result.stdout.re_match_lines_random(
        [
            r"failed .*: The matched prefix becomes /",
            r" +expected +404",
            r" +seen +200",
            r" +place +failing.scenario.yaml:17:\d+",
            r" +replay: meshproof run .*failing.scenario.yaml.*--seed 0",
        ]
    )


@pytest.mark.usefixtures("calls")
def test_a_bad_file_shows_all_its_errors(pytester: pytest.Pytester) -> None:
    write(pytester, bad=BAD)

    result = pytester.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.re_match_lines_random(
        [r"bad.scenario.yaml:6:\d+: /.*65536", r"bad.scenario.yaml:14:1: .*stepz"]
    )


def test_many_files_are_one_call(pytester: pytest.Pytester, calls: Path) -> None:
    write(pytester, **{f"s{number}": SMALLEST for number in range(20)})

    pytester.runpytest().assert_outcomes(passed=20)

    assert len(calls.read_text().splitlines()) == 1


def test_only_selected_files_are_run(pytester: pytest.Pytester, calls: Path) -> None:
    write(pytester, good=SMALLEST, failing=FAILING)

    pytester.runpytest("-k", "good").assert_outcomes(passed=1, deselected=1)

    assert "failing" not in calls.read_text()


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    "selection", [["-m", "clause(id='RW-02')"], ["-k", "RW-02"]], ids=["marker", "keyword"]
)
def test_a_clause_selects(pytester: pytest.Pytester, selection: list[str]) -> None:
    write(pytester, good=SMALLEST, failing=FAILING)

    pytester.runpytest("--strict-markers", *selection).assert_outcomes(passed=1, deselected=1)


@pytest.mark.usefixtures("calls")
def test_x_stops_at_the_first_failure(pytester: pytest.Pytester) -> None:
    write(pytester, a_failing=FAILING, b_failing=FAILING)

    pytester.runpytest("-x").assert_outcomes(failed=1)


def test_nothing_selected_is_5_and_calls_nothing(pytester: pytest.Pytester, calls: Path) -> None:
    write(pytester, good=SMALLEST)

    assert pytester.runpytest("-k", "nowhere").ret == pytest.ExitCode.NO_TESTS_COLLECTED

    assert calls.read_text() == ""


def test_the_seed_is_passed_on(pytester: pytest.Pytester, calls: Path) -> None:
    write(pytester, good=SMALLEST)

    pytester.runpytest("--meshproof-seed=7").assert_outcomes(passed=1)

    assert "--seed 7" in calls.read_text()


@pytest.mark.usefixtures("calls")
def test_junit_tells_failure_from_error_and_has_the_hash(pytester: pytest.Pytester) -> None:
    write(pytester, bad=BAD, failing=FAILING)

    pytester.runpytest("--junitxml=junit.xml")

    cases = ElementTree.parse(pytester.path / "junit.xml").findall(".//testcase")
    by_name = {case.get("name"): case for case in cases}
    assert by_name["bad"].find("error") is not None
    assert by_name["failing"].find("failure") is not None
    properties = {
        each.get("name"): each.get("value") for each in by_name["failing"].iter("property")
    }
    assert properties["clauses"] == "RW-03"
    assert len(properties["trace_hash"] or "") == 32


def test_no_program_is_said_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHPROOF", "/nowhere/meshproof")
    write(pytester, good=SMALLEST)

    result = pytester.runpytest()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: MESHPROOF names /nowhere/meshproof, which is not a program"]
    )


def test_a_program_that_dies_is_an_error_of_each_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = pytester.path / "dying"
    dying.write_text("#!/bin/sh\necho no memory left >&2\nkill -KILL $$\n")
    dying.chmod(0o755)
    monkeypatch.setenv("MESHPROOF", os.fspath(dying))
    write(pytester, a=SMALLEST, b=SMALLEST)

    result = pytester.runpytest()

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*dying was ended by signal 9*", "no memory left"])


@pytest.mark.usefixtures("calls")
def test_the_fixture_runs_a_file_a_mapping_or_text(pytester: pytest.Pytester) -> None:
    write(pytester, good=SMALLEST)
    pytester.makepyfile(
        f"""
        import pytest
        from meshproof import BadScenarioError

        TEXT = {SMALLEST!r}
        GATEWAY = {{
            "virtualGateway": "edge",
            "spec": {{"listeners": [{{"portMapping": {{"port": 9080, "protocol": "http"}}}}]}},
        }}
        MAPPING = {{
            "scenario": "No route is 404",
            "mesh": [GATEWAY],
            "steps": [{{"request": "GET http://edge/", "expect": {{"status": 404}}}}],
        }}

        def test_file(meshproof):
            result = meshproof.run("good.scenario.yaml", seed=3)
            assert result.passed
            assert result.seed == 3
            assert result.clauses == ("RW-02",)
            (request,) = result.requests
            assert request.status == 200
            assert request.seen[0].path == "/1"
            assert all(check.passed for check in result.checks) and result.checks

        def test_text(meshproof):
            assert meshproof.run(TEXT).trace_hash == meshproof.run(TEXT).trace_hash
            failed = meshproof.run(TEXT.replace("status: 200", "status: 500"))
            assert not failed.passed
            assert (failed.broken[0].expected, failed.broken[0].actual) == ("500", "200")
            assert "replay:" in str(failed)

        def test_mapping(meshproof):
            result = meshproof.run(MAPPING)
            assert result.passed, result
            assert result.requests[0].seen == ()

        def test_tls(meshproof):
            result = meshproof.run({TLS!r})
            assert result.passed, result
            request = result.requests[1]
            assert (request.tls.failed, request.tls.refused_by) == ("unknown_ca", "gateway")
            assert request.seen == ()

        def test_bad(meshproof):
            with pytest.raises(BadScenarioError) as caught:
                meshproof.run({{**MAPPING, "stepz": []}})
            assert any("stepz" in str(error) for error in caught.value.result.errors)
        """
    )

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=6)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("clauses: [RW-02]\n", ["RW-02"]),
        ("clauses: [ RW-02, 'RW-03', # why\n  RW-04 ]\n", ["RW-02", "RW-03", "RW-04"]),
        ("scenario: x\nclauses:\n  - RW-02  # why\n  - RW-03\nsteps: []\n", ["RW-02", "RW-03"]),
        ("clauses: []\n", []),
        ("# clauses: [RW-02]\n", []),
        ("clauses: 7\n", []),
    ],
    ids=["inline", "over-lines", "block", "empty", "comment", "wrong-type"],
)
def test_clauses_are_found_in_the_head(tmp_path: Path, text: str, clauses: list[str]) -> None:
    path = tmp_path / "x.scenario.yaml"
    path.write_text(text)
    assert clauses_of(path) == clauses
