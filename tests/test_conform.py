"""What conforms to what: clauses, profiles, reports."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT, SMALLEST, Done, call

# No scenario shows them yet.
WITHOUT_SCENARIO = {
    "API-03": "tests/api runs the AWS CLI and boto3",
    "DEL-05": "the console is gone",
    "DEL-06": "gateways do not take their plan from the control plane yet",
    "DEL-07": "Kubernetes resources are not there yet",
    "DP-03": "metrics and traces are not there yet",
    "DP-04": "gateways do not take their plan from the control plane yet",
    "DP-05": "gateways do not take their plan from the control plane yet",
    "DP-06": "Kubernetes resources are not there yet",
    "DP-07": "gateways do not take their plan from the control plane yet",
    "RT-17": "gateways do not take their plan from the control plane yet",
}


@pytest.fixture(scope="module")
def conform(program: Path) -> Callable[..., Done]:
    def conform(*arguments: str | Path) -> Done:
        return call(program, ["conform", *arguments])

    return conform


@pytest.fixture(scope="module")
def simulated(conform: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conform")
    done = conform(ROOT / "scenarios", "--report", folder, "--strict")
    assert done.status == 0, done.stdout
    return folder


def clauses(folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "conformance.json").read_text())
    return {clause["id"]: clause for clause in report["targets"][0]["clauses"]}


def test_every_clause_is_kept_in_the_simulated_world(simulated: Path) -> None:
    states = {id: clause["state"] for id, clause in clauses(simulated).items()}
    assert {id for id, state in states.items() if state != "kept"} == set(WITHOUT_SCENARIO)
    assert {states[id] for id in WITHOUT_SCENARIO} == {"no scenario"}


def test_scenarios_cite_clauses_that_there_are(simulated: Path) -> None:
    known = set(clauses(simulated))
    for file in sorted(ROOT.glob("scenarios/**/*.scenario.yaml")):
        cited = yaml.load(file.read_text(), yaml.CSafeLoader).get("clauses", [])
        assert set(cited) <= known, file


def test_the_report_has_a_profile_for_each_area(simulated: Path) -> None:
    report = yaml.safe_load((simulated / "sim-report.yaml").read_text())
    assert report["kind"] == "ConformanceReport"
    assert report["implementation"]["project"] == "sim"
    results = {profile["name"]: profile for profile in report["profiles"]}
    assert results["GATEWAY-TLS"]["core"]["result"] == "success"
    assert results["GATEWAY-API"]["core"]["result"] == "partial"
    assert "DP-04" in results["GATEWAY-API"]["core"]["skippedTests"]


def test_the_page_is_that_of_today(simulated: Path) -> None:
    """docs/conformance.md, as `make conformance` writes it: its column of the simulated world."""
    page = (ROOT / "docs/conformance.md").read_text()
    rows = re.findall(
        r"^\| ([A-Z]+-\d+) \| .* \| (?:must|default|observed) \| ([^|]+) \|", page, re.M
    )
    shown = dict(rows)
    assert shown == {id: clause["state"] for id, clause in clauses(simulated).items()}
    assert "BROKEN" not in page
    heads = re.search(r"\| profile \| level \|(.*)\|\n", page)
    assert heads is not None
    assert re.findall("`(.*?)`", heads[1]) == ["sim", "gateway", "envoy"]


def test_a_broken_clause_is_named_with_the_run_that_broke_it(
    conform: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "wrong.scenario.yaml").write_text(SMALLEST.replace("path: /1", "path: /2"))
    done = conform(tmp_path)
    assert done.status == 1
    assert re.search(r"^broken +RW-02 .*\(must\)\n +wrong$", done.stdout, re.M)
    assert "GATEWAY-ROUTING  core      failure" in done.stdout
    assert conform(tmp_path, "--profile", "GATEWAY-TLS").status == 0


def test_an_observed_clause_fails_strictly_alone(
    conform: Callable[..., Done], tmp_path: Path
) -> None:
    scenario = SMALLEST.replace("path: /1", "path: /2").replace("RW-02", "RT-10")
    (tmp_path / "wrong.scenario.yaml").write_text(scenario)
    assert conform(tmp_path).status == 0
    assert conform(tmp_path, "--strict").status == 1


def test_what_fails_as_is_known_does_not_break_a_clause(
    conform: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "wrong.scenario.yaml").write_text(SMALLEST.replace("path: /1", "path: /2"))
    (tmp_path / "known").mkdir()
    known = tmp_path / "known/sim.yaml"
    known.write_text("- { id: wrong, reason: as measured }\n")
    done = conform(tmp_path)
    assert done.status == 0
    assert re.search(r"^known to differ +RW-02 .*\n +wrong: as measured$", done.stdout, re.M)
    assert conform(tmp_path, "--strict").status == 1

    (tmp_path / "wrong.scenario.yaml").write_text(SMALLEST)
    assert conform(tmp_path).status == 1, "what is known to differ and does not is news"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "mars"], "--target: must be sim, gateway, envoy or envoy:PATH, is 'mars'"),
        (["--profile", "GATEWAY-X"], "--profile: there is no 'GATEWAY-X', only GATEWAY-ROUTING"),
        (["--known", "/nowhere"], "/nowhere"),
    ],
)
def test_bad_arguments(
    conform: Callable[..., Done], tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "smallest.scenario.yaml").write_text(SMALLEST)
    done = conform(tmp_path, *arguments)
    assert done.status == 4
    assert message in done.stderr


def test_a_bad_scenario_is_told_with_its_place(
    conform: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "bad.scenario.yaml").write_text(SMALLEST.replace("steps:", "stepz:"))
    done = conform(tmp_path)
    assert done.status == 4
    assert re.search(r"bad\.scenario\.yaml:\d+:\d+: /stepz", done.stderr)
    assert Counter(done.stdout) == Counter()
