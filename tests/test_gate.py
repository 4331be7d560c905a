"""A run against a baseline, and the examples for CI servers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT, SMALLEST, Done, call

CI = ROOT / "docs/ci"


@pytest.fixture(scope="module")
def gate(program: Path) -> Callable[..., Done]:
    def gate(*arguments: str | Path) -> Done:
        return call(program, ["gate", *arguments])

    return gate


@pytest.fixture
def kept(gate: Callable[..., Done], tmp_path: Path) -> Path:
    """A scenario, beside the baseline of it."""
    (tmp_path / "prefix.scenario.yaml").write_text(SMALLEST)
    baseline = tmp_path / "baseline.json"
    done = gate(tmp_path, "--baseline", baseline, "--update")
    assert done.status == 0, done.stderr
    assert "baseline.json: 1 runs" in done.stderr
    return baseline


def change(kept: Path, before: str, after: str) -> None:
    scenario = kept.parent / "prefix.scenario.yaml"
    text = scenario.read_text()
    assert before in text
    scenario.write_text(text.replace(before, after))


def test_nothing_has_changed(gate: Callable[..., Done], kept: Path) -> None:
    done = gate(kept.parent, "--baseline", kept)
    assert done.status == 0
    assert done.stdout == "1 runs, 0 changed, 0 regressions\n"


def test_a_regression_is_shown_with_what_broke(gate: Callable[..., Done], kept: Path) -> None:
    change(kept, "path: /1", "path: /2")
    done = gate(kept.parent, "--baseline", kept)
    assert done.status == 1
    assert "expected  /2" in done.stdout
    assert "BROKEN   prefix: it was passed and is failed now, the scenario has changed too" in (
        done.stdout
    )
    assert done.stdout.endswith("1 runs, 1 changed, 1 regression\n")


def test_what_no_expectation_notices_is_shown_and_no_regression(
    gate: Callable[..., Done], kept: Path
) -> None:
    change(kept, "/chapter/1", "/chapter/1?page=2")
    change(kept, ", path: /1", "")
    done = gate(kept.parent, "--baseline", kept)
    assert done.status == 0
    assert "- GET http://edge/chapter/1 -> 200; books.shop.local: GET /1" in done.stdout
    assert "+ GET http://edge/chapter/1?page=2 -> 200; books.shop.local: GET /1?page=2" in (
        done.stdout
    )


def test_what_is_gone_is_a_regression(gate: Callable[..., Done], kept: Path) -> None:
    (kept.parent / "prefix.scenario.yaml").rename(kept.parent / "other.scenario.yaml")
    done = gate(kept.parent, "--baseline", kept)
    assert done.status == 1
    assert "LOST     prefix: it passed, and nothing of that id was run" in done.stdout
    assert "new      other: it is passed" in done.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "baseline.json:1:1: "),
        ("[]", "baseline.json:1:1: "),
        ('{"format": 1, "target": "envoy", "runs": {}}', "is of the target envoy, not sim"),
        ('{"format": 1, "target": "sim", "runs": {}, "x": 1}', "/x: is not known here"),
    ],
)
def test_a_bad_baseline(gate: Callable[..., Done], kept: Path, text: str, message: str) -> None:
    kept.write_text(text)
    done = gate(kept.parent, "--baseline", kept)
    assert done.status == 4
    assert message in done.stderr
    assert kept.read_text() == text


def test_no_baseline_says_how_to_get_one(gate: Callable[..., Done], kept: Path) -> None:
    kept.unlink()
    done = gate(kept.parent, "--baseline", kept)
    assert done.status == 4
    assert "cannot be read; --update writes it" in done.stderr


# --- The examples ---------------------------------------------------------------------------------


def github() -> str:
    steps = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"]["meshproof"]["steps"]
    return next(step["run"] for step in steps if step.get("name") == "Run")


def gitlab() -> str:
    return "\n".join(yaml.safe_load((CI / "gitlab-ci.yml").read_text())["meshproof"]["script"])


@pytest.mark.parametrize("script", [github, gitlab])
def test_the_examples_for_ci_servers_work(
    program: Path, kept: Path, script: Callable[[], str]
) -> None:
    folder = kept.parent / "repository"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "scenarios/prefix.scenario.yaml").write_text(SMALLEST)
    environment: dict[str, Any] = {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(kept.parent / "step-summary.md"),
    }
    update = ["gate", folder / "scenarios", "--baseline", folder / "meshproof-baseline.json"]
    assert call(program, [*update, "--update"]).status == 0

    def run() -> int:
        command = ["bash", "-e", "-c", script()]
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode

    assert run() == 0
    assert (folder / "report/junit.xml").exists()
    scenario = folder / "scenarios/prefix.scenario.yaml"
    scenario.write_text(SMALLEST.replace("path: /1", "path: /2"))
    assert run() == 1
