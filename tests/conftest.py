"""What the tests of the whole program share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import ROOT, SMALLEST, Done, call
from meshproof import find_program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real sockets come last: their messages stay in this process's memory, and the kernel counts
    that as the peak of every program that is started from it."""
    items.sort(key=lambda item: "live" in item.path.parts)


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Path:
    return find_program(request.config.getoption("--meshproof-program"), ROOT)


@pytest.fixture
def smallest(tmp_path: Path) -> Path:
    path = tmp_path / "smallest.scenario.yaml"
    path.write_text(SMALLEST)
    return path


@pytest.fixture
def run(program: Path) -> Callable[..., Done]:
    """`run("FILE", "--seed", "7")`: what `meshproof run FILE --seed 7` does."""

    def run(*arguments: str | os.PathLike[str], **options: Any) -> Done:  # noqa: ANN401
        return call(program, ["run", *arguments], **options)

    return run
