"""The same scenario, seed and version give the same trace on every machine.

`make test` names further builds in MESHPROOF_BUILDS (paths of programs, separated by spaces): other
compilers and optimisation levels.
"""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import ROOT, SMALLEST, Done, call

SCENARIOS = "scenarios"
BUILDS = [Path(path) for path in os.environ.get("MESHPROOF_BUILDS", "").split()]

# Whatever moves blocks on the heap or the stack must not be seen in a trace.
LAYOUTS = {
    "dirty-memory": {"MALLOC_PERTURB_": "165"},
    "no-thread-caches": {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0", "MALLOC_ARENA_MAX": "1"},
    "mapped-blocks": {"MALLOC_MMAP_THRESHOLD_": "64", "MALLOC_TOP_PAD_": "1048576"},
    "bigger-environment": {"PADDING": "x" * 100_000},
}


def results(program: Path, *arguments: str, environment: dict[str, str] | None = None) -> bytes:
    """results.json of a run of the bundled scenarios."""
    command = ["run", SCENARIOS, "--json", *arguments]
    done = call(program, command, environment=environment)
    assert done.status == 0, done.stderr
    return done.stdout.encode()


def hashes(text: bytes | str) -> dict[str, str]:
    return {run["id"]: run["trace_hash"] for run in json.loads(text)["runs"]}


@pytest.fixture(scope="module")
def with_system_allocator(program: Path) -> Path:
    """A build whose heap the variables of LAYOUTS rule: the release build has its own allocator."""
    return next((build for build in BUILDS if build.parts[-3] == "clang-release"), program)


@pytest.fixture(scope="module")
def reference(program: Path) -> bytes:
    return results(program, "-j", "1")


def test_every_scenario_leaves_a_trace_of_its_own(reference: bytes) -> None:
    found = hashes(reference)
    assert found
    assert all(len(value) == 32 for value in found.values())


def test_twice_is_the_same(program: Path, reference: bytes) -> None:
    assert results(program, "-j", "1") == reference


def test_threads_change_nothing(program: Path, reference: bytes) -> None:
    assert results(program, "-j", "8") == reference


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_heap_layout_changes_nothing(
    with_system_allocator: Path, reference: bytes, layout: dict[str, str]
) -> None:
    assert results(with_system_allocator, "-j", "1", environment=layout) == reference


def test_the_machines_clock_changes_nothing(program: Path, reference: bytes) -> None:
    """Certificates and tickets are dated by the world's calendar, not by this machine's."""
    ahead = ["-f", "+2y", os.fspath(program.absolute())]
    done = call(Path("/usr/bin/faketime"), [*ahead, "run", SCENARIOS, "--json", "-j", "1"])
    assert done.status == 0, done.stderr
    assert done.stdout.encode() == reference


@pytest.mark.skipif(not BUILDS, reason="MESHPROOF_BUILDS names no other builds; make test does")
@pytest.mark.parametrize("build", BUILDS, ids=[path.parts[-3] for path in BUILDS])
def test_compilers_and_optimisation_change_nothing(build: Path, reference: bytes) -> None:
    found = results(build.absolute(), "-j", "2")
    assert hashes(found) == hashes(reference)
    assert found == reference


def test_report_files_compare_equal(run: Callable[..., Done], tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder, jobs in zip(folders, ("1", "8"), strict=True):
        assert run(SCENARIOS, "--report", folder, "-j", jobs).status == 0

    names = ["results.json", "junit.xml", "summary.md"]
    same, different, missing = filecmp.cmpfiles(*folders, names, shallow=False)
    assert (same, different, missing) == (names, [], [])


def test_printed_results_are_the_reported_ones(run: Callable[..., Done], tmp_path: Path) -> None:
    done = run(SCENARIOS, "--json", "--report", tmp_path)
    assert done.stdout == (tmp_path / "results.json").read_text()


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_a_world_leaves_nothing_behind(run: Callable[..., Done], tmp_path: Path, jobs: str) -> None:
    """A, B, A in one process: A's hash twice, and the one it has alone."""
    a, b = tmp_path / "a.scenario.yaml", tmp_path / "b.scenario.yaml"
    a.write_text(SMALLEST)
    b.write_text(SMALLEST.replace("/chapter/1", "/chapter/2").replace("path: /1", "path: /2"))

    together = run(a, b, a, "--json", "-j", jobs)
    assert together.status == 0, together.stderr
    alone = run(a, "--json")

    traces = [(Path(each["file"]).name, each["trace_hash"]) for each in together.results["runs"]]
    (hash_of_a,) = hashes(alone.stdout).values()
    of_a = [value for name, value in traces if name == a.name]
    of_b = [value for name, value in traces if name == b.name]
    assert of_a == [hash_of_a, hash_of_a]
    assert len(of_b) == 1
    assert of_b != [hash_of_a]


def test_there_are_bundled_scenarios() -> None:
    assert list((ROOT / SCENARIOS).rglob("*.scenario.yaml"))
