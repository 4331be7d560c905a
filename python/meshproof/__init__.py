"""pytest plugin and Python interface of meshproof.

Scenario files (`*.scenario.yaml`) are collected as tests; a test asks for the `meshproof` fixture
to run one itself:

    def test_prefix(meshproof: Meshproof) -> None:
        result = meshproof.run("scenarios/rewrites/prefix-becomes-slash.scenario.yaml")
        assert result.passed
        assert result.requests[0].seen[0].path == "/1"
"""

from meshproof.api import BadScenarioError, Meshproof
from meshproof.program import ExitStatus, Program, ProgramError, ProgramNotFoundError, find_program
from meshproof.results import (
    Check,
    Frame,
    Grpc,
    Message,
    Place,
    Report,
    Request,
    RunResult,
    ScenarioError,
    Seen,
    TimelineEntry,
    Tls,
    UnknownFormatError,
)

__all__ = [
    "BadScenarioError",
    "Check",
    "ExitStatus",
    "Frame",
    "Grpc",
    "Meshproof",
    "Message",
    "Place",
    "Program",
    "ProgramError",
    "ProgramNotFoundError",
    "Report",
    "Request",
    "RunResult",
    "ScenarioError",
    "Seen",
    "TimelineEntry",
    "Tls",
    "UnknownFormatError",
    "find_program",
]
