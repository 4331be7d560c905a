"""The published schema of scenario files says what the program says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from harness import ROOT, SMALLEST, Done, call

SCHEMA = ROOT / "schema" / "scenario.schema.json"
FILES = sorted((ROOT / "scenarios").rglob("*.scenario.yaml"))


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, as the program reads it: `yes` and dates are strings."""


Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def with_text_keys(value: Any) -> Any:  # noqa: ANN401
    """JSON has no other keys: `200: 5` becomes `"200": 5`."""
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_text_keys(item) for item in value]
    return value


def read(text: str) -> Any:  # noqa: ANN401
    return with_text_keys(yaml.load(text, Loader=Loader))


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    schema = json.loads(SCHEMA.read_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def test_the_program_prints_it(program: Path) -> None:
    assert call(program, ["schema"]).stdout == SCHEMA.read_text()
    assert call(program, ["schema", "scenario"]).stdout == SCHEMA.read_text()
    results = (ROOT / "schema" / "results.schema.json").read_text()
    assert call(program, ["schema", "results"]).stdout == results


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_bundled_scenarios_keep_to_it(validator: Draft7Validator, path: Path) -> None:
    errors = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in validator.iter_errors(read(path.read_text()))
    ]
    assert errors == []


# Each: what is put in for what. Program and schema must both refuse it.
CHANGES = {
    "unknown-key": ("steps:", "stepz: []\nsteps:"),
    "unknown-key-of-world": ("steps:", "world: { gateway: {} }\nsteps:"),
    "unknown-expectation": ("status: 200", "statuz: 200"),
    "unknown-count": ("status: 200", "gateway/edge: { request: 1 }"),
    "status-out-of-range": ("status: 200", "status: 20"),
    "header-number": ("status: 200", "headers: { content-length: 7 }"),
    "no-method": ("GET http://edge/chapter/1", "http://edge/chapter/1"),
    "clause": ("[RW-02]", "[rewrites]"),
    "era": ("clauses:", "era: seed-c\nclauses:"),
    "duration": ("steps:", "steps:\n  - wait: 5"),
    "two-actions": ("    expect:", "    wait: 1s\n    expect:"),
    "no-steps": ("steps:\n", "steps: []\nx:\n"),
    "vary-without-values": ("steps:", "vary: { port: [] }\nsteps:"),
    "not-supported-yet": ("steps:", "explore: { seeds: 10 }\nsteps:"),
    "frames-of-a-request": ("status: 200", "frames: []"),
    "messages-of-a-request": ("status: 200", "messages: []"),
    "reset-code": ("status: 200", "reset: WHATEVER"),
    "protocol": (
        "request: GET http://edge/chapter/1",
        "request: { get: http://edge/chapter/1, protocol: spdy }",
    ),
    "websocket-without-url": ("request: GET http://edge/chapter/1", "websocket: { send: hi }"),
    "invariant": ("steps:", "always: [ all is well ]\nsteps:"),
    "respond": ("steps:", "world: { services: { books: { respond: { statuz: 1 } } } }\nsteps:"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES.keys())
def test_what_the_program_refuses_the_schema_refuses(
    run: Callable[..., Done], validator: Draft7Validator, smallest: Path, old: str, new: str
) -> None:
    assert SMALLEST.count(old) == 1
    text = SMALLEST.replace(old, new)
    smallest.write_text(text)
    assert run(smallest).status == 4
    assert not validator.is_valid(read(text))


def test_the_smallest_one_keeps_to_it(validator: Draft7Validator) -> None:
    assert validator.is_valid(read(SMALLEST))
