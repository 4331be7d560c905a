"""Bad input: a clear error with its place, the right exit status, memory and time bounded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import SMALLEST, Done, Limits

MEBIBYTE = 1024 * 1024

# Far more than any scenario file needs, far less than a machine has.
BOUNDS = Limits(cpu_seconds=20, address_bytes=1024 * MEBIBYTE)
PEAK_BYTES = 256 * MEBIBYTE


def judge(run: Callable[..., Done], path: Path) -> Done:
    """Run it within the bounds. A bad scenario is exit 4, with its errors on stdout."""
    done = run(path, limits=BOUNDS)
    assert done.status == 4, done
    assert done.peak_bytes < PEAK_BYTES
    assert done.cpu_seconds < 10
    return done


def said(done: Done) -> str:
    return done.stdout + done.stderr


# Each: what is put in for what, and where and how the error must say so.
CHANGES = {
    "yaml-syntax": ("steps:", "steps: ]", "14:8", ""),
    "tab": ("  - request:", "\t- request:", "15:", ""),
    "unknown-key": ("steps:", "stepz:", "14:1", "stepz"),
    "unknown-key-within": ("status: 200", "statuz: 200", "17:7", "statuz"),
    "key-twice": ("clauses: [RW-02]", "clauses: [RW-02]\nclauses: []", "3:1", "clauses"),
    "port-0": ("port: 9080", "port: 0", "6:49", "1"),
    "port-65536": ("port: 9080", "port: 65536", "6:49", "65535"),
    "port-word": ("port: 9080", "port: http", "6:49", "port"),
    "port-fraction": ("port: 9080", "port: 90.5", "6:49", "port"),
    "prefix-without-slash": ("prefix: /chapter", "prefix: chapter", "11:26", "/"),
    "two-listeners": (
        "protocol: http } } ]",
        "protocol: http } }, { portMapping: { port: 9081, protocol: http } } ]",
        "6:",
        "listener",
    ),
    "steps-number": ("steps:\n", "steps: 7\nx:\n", "14:8", "steps"),
    "clauses-mapping": ("clauses: [RW-02]", "clauses: {}", "2:10", "clauses"),
    "scenario-list": (
        "scenario: The matched prefix becomes /",
        "scenario: [1]",
        "1:11",
        "scenario",
    ),
    "mesh-word": ("mesh:\n", "mesh: word\nx:\n", "4:7", "mesh"),
    "status-word": ("status: 200", "status: fine", "17:15", "status"),
    "method": ("GET http://edge/chapter/1", "GE T http://edge/chapter/1", "15:14", ""),
    "unknown-host": (
        "virtualGateway: edge\n    spec:\n",
        "virtualGateway: other\n    spec:\n",
        "7:",
        "other",
    ),
}


@pytest.mark.parametrize(("old", "new", "place", "word"), CHANGES.values(), ids=CHANGES.keys())
def test_the_error_has_its_place(
    run: Callable[..., Done], smallest: Path, old: str, new: str, place: str, word: str
) -> None:
    assert SMALLEST.count(old) == 1
    smallest.write_text(SMALLEST.replace(old, new))

    text = said(judge(run, smallest))

    (line,) = [line for line in text.splitlines() if line.startswith(f"{smallest}:{place}")][:1]
    assert word in line


def test_all_errors_come_at_once(run: Callable[..., Done], smallest: Path) -> None:
    text = SMALLEST.replace("port: 9080", "port: 0").replace("prefix: /", "prefix: ")
    smallest.write_text(text.replace("status: 200", "statuz: 200"))

    places = [line for line in said(judge(run, smallest)).splitlines() if ".yaml:" in line]

    for number in (6, 11, 17):
        assert any(line.startswith(f"{smallest}:{number}:") for line in places), places


def test_a_missing_file_is_named(run: Callable[..., Done], tmp_path: Path) -> None:
    missing = tmp_path / "missing.scenario.yaml"
    assert f"{missing}: " in said(judge(run, missing))


def test_a_missing_mesh_file_is_named_where_it_is_asked_for(
    run: Callable[..., Done], tmp_path: Path
) -> None:
    path = tmp_path / "x.scenario.yaml"
    path.write_text("scenario: x\nmesh: { file: nowhere.yaml }\nsteps: []\n")
    text = said(judge(run, path))
    assert "nowhere.yaml" in text
    assert f"{path}:2:" in text


ENDLESS = """\
scenario: A gateway that is its own service
limits: { instant: 20000 }
mesh:
  - virtualGateway: edge
    spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }
  - gatewayRoute: all
    virtualGateway: edge
    spec:
      httpRoute:
        match: { prefix: / }
        action: { target: { virtualService: { virtualServiceName: itself.local } } }
  - virtualService: itself.local
    spec: { provider: { virtualNode: { virtualNodeName: itself } } }
  - virtualNode: itself
    spec:
      listeners: [ { portMapping: { port: 9080, protocol: http } } ]
      serviceDiscovery: { dns: { hostname: edge } }
world:
  services: { itself: { endpoints: 0 } }
steps:
  - request: GET http://edge/x
    expect: { status: 200 }
"""


def test_an_endless_scenario_is_ended_by_the_guard(
    run: Callable[..., Done], tmp_path: Path
) -> None:
    """What leaves the gateway comes back into it: virtual time stands still."""
    path = tmp_path / "endless.scenario.yaml"
    path.write_text(ENDLESS)

    done = run(path, limits=BOUNDS)

    assert done.status == 1, done
    assert "time stands still at 4ms" in done.stdout
    assert "most of them on edge-1" in done.stdout
    assert done.peak_bytes < PEAK_BYTES


def test_an_empty_file(run: Callable[..., Done], smallest: Path) -> None:
    smallest.write_text("")
    assert str(smallest) in said(judge(run, smallest))


def test_bytes_that_are_no_text(run: Callable[..., Done], smallest: Path) -> None:
    smallest.write_bytes(bytes(range(256)) * 64)
    assert str(smallest) in said(judge(run, smallest))


def test_a_folder_with_a_scenario_s_name(run: Callable[..., Done], tmp_path: Path) -> None:
    """A folder is looked through, whatever its name: there is nothing in it to run."""
    folder = tmp_path / "x.scenario.yaml"
    folder.mkdir()
    assert run(folder, limits=BOUNDS).status == 5


@pytest.mark.parametrize("tail", ["- x\n", "# x\n"], ids=["values", "comment"])
def test_a_file_of_100_mb(run: Callable[..., Done], smallest: Path, tail: str) -> None:
    with smallest.open("a") as file:
        file.write("x:\n")
        block = tail * MEBIBYTE
        for _ in range(100 * MEBIBYTE // len(block)):
            file.write(block)

    text = said(judge(run, smallest))

    assert str(smallest) in text
    assert "byte" in text or "MiB" in text


def test_an_alias_bomb(run: Callable[..., Done], smallest: Path) -> None:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        bomb.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    smallest.write_text("\n".join([*bomb, SMALLEST]))

    assert f"{smallest}:" in said(judge(run, smallest))


@pytest.mark.parametrize(
    "nested",
    [
        "x: " + "[" * 100_000,
        "x: " + "{a: " * 100_000,
        "".join(" " * n + "a:\n" for n in range(3000)),
    ],
    ids=["lists", "mappings", "blocks"],
)
def test_deep_nesting(run: Callable[..., Done], smallest: Path, nested: str) -> None:
    smallest.write_text(nested + "\n")

    assert f"{smallest}:" in said(judge(run, smallest))


def test_an_alias_to_itself(run: Callable[..., Done], smallest: Path) -> None:
    smallest.write_text("a: &a [*a]\n" + SMALLEST)

    assert f"{smallest}:" in said(judge(run, smallest))
