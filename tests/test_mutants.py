"""The suite's own proof: each defect is found, by a scenario of the clause that it breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT, SMALLEST, Done, Limits, call
from live import envoy

# At least so many; those of a real Envoy's configuration are the same ones.
DEFECTS = 60


@pytest.fixture(scope="module")
def mutants(program: Path) -> Callable[..., Done]:
    def mutants(*arguments: str | Path) -> Done:
        return call(program, ["mutants", *arguments], limits=Limits(cpu_seconds=600))

    return mutants


def found(done: Done) -> dict[str, Any]:
    return {defect["name"]: defect for defect in json.loads(done.stdout)["defects"]}


def test_every_defect_is_found_by_its_clause(mutants: Callable[..., Done]) -> None:
    done = mutants(ROOT / "scenarios", "--json")
    defects = found(done)
    assert {name: one for name, one in defects.items() if not one["by_clause"]} == {}
    assert done.status == 0
    assert len(defects) >= DEFECTS
    weights = {
        clause["id"]: clause["weight"]
        for area in yaml.safe_load((ROOT / "spec/clauses.yaml").read_text()).values()
        for clause in area
    }
    assert {defect["clause"] for defect in defects.values()} <= set(weights)


def test_a_real_envoy_with_a_defect_is_found_too(mutants: Callable[..., Done]) -> None:
    """One of each area, in the configuration that is exported."""
    names = [
        "route/prefix-by-segments",
        "rewrite/no-host",
        "listener/one-hop-logs",
        "pool/nobody-waits",
        "tls/client-names-ignored",
        "retry/one-more",
    ]
    chosen = [argument for name in names for argument in ("--defect", name)]
    folders = ("routing", "rewrites", "logging", "pool", "tls", "reported", "faults", "time")
    done = mutants(
        *(ROOT / "scenarios" / folder for folder in folders),
        *("--target", f"envoy:{envoy.binary()}", "--time-scale", "2", "--json"),
        *chosen,
    )
    assert {name: one["by_clause"] for name, one in found(done).items()} == dict.fromkeys(
        names, True
    )


def test_a_run_can_be_given_a_defect(run: Callable[..., Done], tmp_path: Path) -> None:
    scenario = tmp_path / "smallest.scenario.yaml"
    scenario.write_text(SMALLEST)
    assert run(scenario).status == 0
    done = run(scenario, "--defect", "rewrite/no-prefix")
    assert done.status == 1
    assert re.search(r"steps/0/service/path .*\n +expected +/1\n +seen +/chapter/1", done.stdout)


def test_a_suite_that_cannot_tell_is_told(mutants: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "smallest.scenario.yaml").write_text(SMALLEST)
    done = mutants(tmp_path, "--defect", "rewrite/no-prefix", "--defect", "tls/no-alpn")
    assert done.status == 1
    assert re.search(r"^found +rewrite/no-prefix +RW-02 +smallest ", done.stdout, re.M)
    assert re.search(r"^MISSED +tls/no-alpn +TL-06 *$", done.stdout, re.M)
    assert done.stdout.endswith("\n1 of 2 defects are found by the clause that they break\n")


def test_what_fails_without_a_defect_cannot_tell(
    mutants: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "wrong.scenario.yaml").write_text(SMALLEST.replace("path: /1", "path: /2"))
    done = mutants(tmp_path)
    assert done.status == 1
    assert "wrong fails without any defect" in done.stderr


@pytest.mark.parametrize("command", ["run", "mutants"])
def test_a_defect_that_is_none(program: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "smallest.scenario.yaml").write_text(SMALLEST)
    done = call(program, [command, tmp_path, "--defect", "rewrite/no-prefx"])
    assert done.status == 4
    message = "--defect: there is no 'rewrite/no-prefx', did you mean 'rewrite/no-prefix'?"
    assert message in done.stderr


def test_the_list_says_what_each_breaks(program: Path) -> None:
    lines = call(program, ["defects"]).stdout.splitlines()
    assert len(lines) >= DEFECTS
    assert "rewrite/no-prefix                RW-02  the matched prefix stays" in lines
