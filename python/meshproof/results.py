"""What a run of the program found: results.json, typed.

Times are virtual nanoseconds from the start of the simulated world. Keys that a newer program adds
are left out; `schema/results.schema.json` describes them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["passed", "failed", "error", "skipped", "known"]
Headers = tuple[tuple[str, str], ...]
Json = Mapping[str, Any]

FORMAT = 1


class UnknownFormatError(ValueError):
    """results.json of a program that is newer than this package."""


@dataclass(frozen=True)
class Place:
    """Where something stands in a file. Line and column count from 1; 0 means not known."""

    file: str
    line: int
    column: int

    @classmethod
    def from_json(cls, json: Json | None) -> Place | None:
        return None if json is None else cls(json["file"], json["line"], json["column"])

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class ScenarioError:
    """One thing that is wrong with a scenario file."""

    path: str
    message: str
    place: Place | None

    @classmethod
    def from_json(cls, json: Json) -> ScenarioError:
        return cls(json["path"], json["message"], Place.from_json(json["place"]))

    def __str__(self) -> str:
        where = "" if self.place is None else str(self.place)
        return ": ".join(part for part in (where, self.path, self.message) if part)


@dataclass(frozen=True)
class Check:
    """One judged expectation."""

    at_ns: int
    name: str
    passed: bool
    expected: str
    actual: str
    place: Place | None

    @classmethod
    def from_json(cls, json: Json) -> Check:
        return cls(
            at_ns=json["at_ns"],
            name=json["name"],
            passed=json["passed"],
            expected=json["expected"],
            actual=json["actual"],
            place=Place.from_json(json["place"]),
        )


@dataclass(frozen=True)
class TimelineEntry:
    """One of the last events before a failure."""

    at_ns: int
    who: str
    what: str

    @classmethod
    def from_json(cls, json: Json) -> TimelineEntry:
        return cls(json["at_ns"], json["who"], json["what"])


@dataclass(frozen=True)
class Frame:
    """One frame that came on a WebSocket."""

    at_ns: int
    kind: Literal["text", "binary", "ping", "pong", "close"]
    code: int
    data: bytes

    @classmethod
    def from_json(cls, json: Json) -> Frame:
        return cls(json["at_ns"], json["kind"], json["code"], bytes.fromhex(json["hex"]))


@dataclass(frozen=True)
class Message:
    """One message of gRPC that came to the client."""

    at_ns: int
    data: bytes

    @classmethod
    def from_json(cls, json: Json) -> Message:
        return cls(json["at_ns"], bytes.fromhex(json["hex"]))


@dataclass(frozen=True)
class Grpc:
    """What a call of gRPC came to. Without a status there was none."""

    status: int | None
    message: str
    messages: tuple[Message, ...]

    @classmethod
    def from_json(cls, json: Json) -> Grpc:
        return cls(
            status=json["status"],
            message=json["message"],
            messages=tuple(Message.from_json(each) for each in json["messages"]),
        )


@dataclass(frozen=True)
class Tls:
    """What became of TLS on one connection. Empty texts: there is none of it."""

    version: str
    alpn: str
    cipher: str
    server_name: str
    resumed: bool
    server_certificate: str
    client_certificate: str
    failed: str
    refused_by: str
    reason: str

    @classmethod
    def from_json(cls, json: Json | None) -> Tls | None:
        return None if json is None else cls(**json)


@dataclass(frozen=True)
class Seen:
    """What one service saw of a request."""

    at_ns: int
    service: str
    endpoint: str
    method: str
    path: str
    host: str
    headers: Headers
    body: str
    protocol: str = ""
    trailers: Headers = ()
    messages: tuple[bytes, ...] = ()
    frames: tuple[Frame, ...] = ()
    tls: Tls | None = None

    @classmethod
    def from_json(cls, json: Json) -> Seen:
        return cls(
            at_ns=json["at_ns"],
            service=json["service"],
            endpoint=json["endpoint"],
            method=json["method"],
            path=json["path"],
            host=json["host"],
            headers=_headers(json["headers"]),
            body=json["body"],
            protocol=json["protocol"],
            trailers=_headers(json["trailers"]),
            messages=tuple(bytes.fromhex(each) for each in json["messages"]),
            frames=tuple(Frame.from_json(each) for each in json["frames"]),
            tls=Tls.from_json(json["tls"]),
        )


@dataclass(frozen=True)
class Request:
    """One request as everyone saw it."""

    id: str
    client: str
    sent_at_ns: int
    answered_at_ns: int | None
    method: str
    url: str
    status: int | None
    response_headers: Headers
    response_body: str
    failure: str
    response_flags: str
    seen: tuple[Seen, ...]
    protocol: str = ""
    response_trailers: Headers = ()
    grpc: Grpc | None = None
    frames: tuple[Frame, ...] = ()
    tls: Tls | None = None
    ended_at_ns: int | None = None

    @classmethod
    def from_json(cls, json: Json) -> Request:
        return cls(
            id=json["id"],
            client=json["client"],
            sent_at_ns=json["sent_at_ns"],
            answered_at_ns=json["answered_at_ns"],
            method=json["method"],
            url=json["url"],
            status=json["status"],
            response_headers=_headers(json["response_headers"]),
            response_body=json["response_body"],
            failure=json["failure"],
            response_flags=json["response_flags"],
            seen=tuple(Seen.from_json(each) for each in json["seen"]),
            protocol=json["protocol"],
            response_trailers=_headers(json["response_trailers"]),
            grpc=None if json["grpc"] is None else Grpc.from_json(json["grpc"]),
            frames=tuple(Frame.from_json(each) for each in json["frames"]),
            tls=Tls.from_json(json["tls"]),
            ended_at_ns=json["ended_at_ns"],
        )


@dataclass(frozen=True)
class RunResult:
    """One run of one scenario, in one variant."""

    id: str
    title: str
    file: str
    digest: str
    clauses: tuple[str, ...]
    variant: Mapping[str, str]
    era: str
    outcome: Outcome
    reason: str
    explanation: str
    errors: tuple[ScenarioError, ...]
    seed: int
    simulated_ns: int
    events: int
    trace_hash: str
    checks: tuple[Check, ...]
    timeline: tuple[TimelineEntry, ...]
    requests: tuple[Request, ...]
    series: Any
    replay: str

    @classmethod
    def from_json(cls, json: Json) -> RunResult:
        return cls(
            id=json["id"],
            title=json["title"],
            file=json["file"],
            digest=json["digest"],
            clauses=tuple(json["clauses"]),
            variant=dict(json["variant"]),
            era=json["era"],
            outcome=json["outcome"],
            reason=json["reason"],
            explanation=json["explanation"],
            errors=tuple(ScenarioError.from_json(each) for each in json["errors"]),
            seed=json["seed"],
            simulated_ns=json["simulated_ns"],
            events=json["events"],
            trace_hash=json["trace_hash"],
            checks=tuple(Check.from_json(each) for each in json["checks"]),
            timeline=tuple(TimelineEntry.from_json(each) for each in json["timeline"]),
            requests=tuple(Request.from_json(each) for each in json["requests"]),
            series=json["series"],
            replay=json["replay"],
        )

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def broken(self) -> tuple[Check, ...]:
        """The expectations that did not hold."""
        return tuple(check for check in self.checks if not check.passed)

    def __str__(self) -> str:
        """The verdict, and why where it is not a pass, as the terminal shows it."""
        title = f": {self.title}" if self.title else ""
        return f"{self.outcome} {self.id}{title}\n{self.explanation}".rstrip("\n")


@dataclass(frozen=True)
class Report:
    """Everything one invocation of the program found."""

    version: str
    target: str
    seed: int
    runs: tuple[RunResult, ...]

    @classmethod
    def from_json(cls, json: Json) -> Report:
        if json.get("format") != FORMAT:
            raise UnknownFormatError(
                f"results.json has format {json.get('format')}, this package reads {FORMAT}"
            )
        return cls(
            version=json["version"],
            target=json["target"],
            seed=json["seed"],
            runs=tuple(RunResult.from_json(each) for each in json["runs"]),
        )


def _headers(json: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in json)
