"""`meshproof timeline`: what happened there, from a scenario or from the results of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import ROOT, SMALLEST, Done, call

HEALTH = ROOT / "scenarios" / "health" / "turns-at-once-and-back.scenario.yaml"
TLS = ROOT / "scenarios" / "tls" / "clients-without-a-certificate.scenario.yaml"
FAILING = SMALLEST.replace("status: 200", "status: 404")
VARIED = (
    SMALLEST.replace("steps:", "vary: { n: [1, 2] }\nsteps:")
    .replace("/chapter/1\n    expect", "/chapter/${n}\n    expect")
    .replace("path: /1", 'path: "/${n}"')
)


@pytest.fixture
def timeline(program: Path) -> Callable[..., Done]:
    return lambda *arguments: call(program, ["timeline", *map(str, arguments)])


def test_it_shows_a_change_its_reason_and_the_states_before(timeline: Callable[..., Done]) -> None:
    done = timeline(HEALTH, "--around", "65.003s", "--within", "10ms")
    assert done.status == 0
    states, events = done.stdout.split("\nevents ")
    assert "endpoint/books-1  healthy for gateway/edge-1 (since 0.005s)" in states
    assert "gateway/edge-1    running, activeConnections 1" in states
    assert (
        "healthy -> unhealthy for gateway/edge-1: 1 failed in a row, the last: answered 500"
        in events
    )
    times = [float(line.split("s ")[0]) for line in events.splitlines()[1:]]
    assert times == sorted(times)
    assert times[0] >= 64.993
    assert times[-1] <= 65.013


def test_who_leaves_others_out(timeline: Callable[..., Done]) -> None:
    around = ("--around", "65.003s", "--within", "10ms")
    events = timeline(HEALTH, *around, "--who", "endpoint/books-1").stdout.split("\nevents ")[1]
    who = {line[12:].split()[0] for line in events.splitlines()[1:]}
    assert who == {"books-1", "endpoint/books-1", "world"}


def test_what_nobody_can_read_is_named(timeline: Callable[..., Done]) -> None:
    events = timeline(TLS).stdout.split("\nevents ")[1]
    assert "data #1 222 bytes TLS handshake" in events
    assert "tls-failed #1 TLS_error:|268435648:" in events
    assert "secured #2 by TLS 1.3, is shown CN=edge-cert" in events


def test_of_a_failure_it_is_around_that(
    timeline: Callable[..., Done], run: Callable[..., Done], tmp_path: Path
) -> None:
    path = tmp_path / "failing.scenario.yaml"
    path.write_text(FAILING)
    done = timeline(path)
    assert done.status == 0
    assert "failed at" in done.stdout
    assert "BROKEN steps/0/status" in done.stdout
    assert "client/1  request-sent" in done.stdout
    # The failure's own text shows the same lines, and how to see more.
    failure = run(path).stdout
    (broken,) = [line for line in failure.splitlines() if "BROKEN" in line]
    assert " ".join(broken.split()) in " ".join(done.stdout.split())
    assert f"more of it: meshproof timeline {path}" in failure


def test_of_results_the_same_run_is_repeated(
    timeline: Callable[..., Done], run: Callable[..., Done], tmp_path: Path
) -> None:
    path = tmp_path / "failing.scenario.yaml"
    path.write_text(FAILING)
    run(path, "--seed", "11", "--report", tmp_path)
    results = tmp_path / "results.json"
    trace = json.loads(results.read_text())["runs"][0]["trace_hash"]
    done = timeline(results)
    assert done.status == 0
    assert "seed 11, " in done.stdout
    assert f"trace {trace[:8]}" in done.stdout

    refused = timeline(results, "--seed", "1")
    assert (refused.status, "--seed" in refused.stderr) == (4, True)
    path.write_text(FAILING + "# changed\n")
    changed = timeline(results)
    assert (changed.status, "has changed since" in changed.stderr) == (4, True)


def test_one_of_several_runs_is_named(timeline: Callable[..., Done], tmp_path: Path) -> None:
    path = tmp_path / "varied.scenario.yaml"
    path.write_text(VARIED)
    done = timeline(path)
    assert done.status == 4
    assert "varied[n=1], varied[n=2]" in done.stderr
    assert timeline(path, "--filter", "varied[n=2]").stdout.startswith("varied[n=2]  ")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([HEALTH, "--around", "99h"], "after the end of the run, which is at 75.013s"),
        ([HEALTH, "--around", "soon"], "--around: must be a time such as"),
        ([HEALTH, "--around", "5s", "--within", "-1s"], "--within: must be a time such as"),
        ([HEALTH, "--within", "1s"], "goes with --around"),
        ([HEALTH, "--who", "gateway/egde"], "did you mean edge?"),
        ([HEALTH, "--who", "edge"], "must be gateway/NAME"),
        ([HEALTH, "--who", "service/books.shop.local"], "is a virtual service"),
        ([HEALTH, "--filter", "nowhere"], "no run of"),
        (["no-such-file.scenario.yaml"], "there is no such file"),
        (["README.md"], "README.md:"),
        ([ROOT / "scenarios"], "name one with --filter"),
        ([ROOT / "docs"], "there is no scenario in"),
    ],
    ids=str,
)
def test_bad_input_is_4_and_says_why(
    timeline: Callable[..., Done], arguments: list[str | Path], word: str
) -> None:
    done = timeline(*arguments)
    assert done.status == 4
    assert word in done.stderr
    assert done.stdout == ""


def test_results_that_are_none_are_refused(timeline: Callable[..., Done], tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for text in ('{"runs": 3}', '{"runs": []}', '{"runs": [{"id": "x"}], "target": "sim"}'):
        path.write_text(text)
        done = timeline(path)
        assert (done.status, str(path) in done.stderr) == (4, True), done
