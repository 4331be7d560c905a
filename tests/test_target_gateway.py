"""The same scenarios in the simulated world and on real sockets: the same is seen, times apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import SMALLEST, Done, call

Results = dict[str, dict[str, Any]]

# Ten seconds of a scenario in a real one: the whole takes some seconds.
LIVE = ("--target", "gateway", "--time-scale", "10")

# Why bundled scenarios cannot be shown, and how many of their runs. A run that is skipped for
# another reason, or one more for these, is news.
SKIPPED = {
    "expects its mesh to be refused or accepted, before a gateway runs": 59,
    "which sockets of one machine cannot show": 30,
    "on sockets it resets what such a one would refuse": 10,
    "of real time, the limit is 10s": 15,
    "a balancer on sockets ends connections itself": 8,
    "has a packet filter, sockets of one machine have none": 2,
    "sets links, between sockets of one machine there are none": 2,
    "sets keepAlive, sockets of one machine always answer and nobody would see it": 1,
    "is a blackhole, an address of this machine always answers": 1,
}
SHOWN = 417

# What is seen otherwise, and why. In the simulated world each write is read by itself; a kernel
# hands over at once what has come. A client that is cut off for its first bytes then meets a
# gateway that has read them all, and has written nothing yet: its connection is closed, not reset.
CUT_OFF_AT_ONCE = (
    "http2/rules-of-headers",
    "http2/rules-of-pseudo-headers",
    "malformed/head-too-large",
    "tls/a-secret-that-comes-late",
    "websocket/none-on-an-http2-listener",
)

# Parts of an observation that no two runs of the real world have in common.
OWN_HEADERS = {
    "date",
    "x-request-id",
    "x-envoy-upstream-service-time",
    "sec-websocket-key",
    "sec-websocket-accept",
}
# What is left of the time that a request may take.
RETRY_HEADERS = OWN_HEADERS | {"x-envoy-expected-rq-timeout-ms"}


def by_id(done: Done) -> Results:
    return {run["id"]: run for run in done.results["runs"]}


@pytest.fixture(scope="module")
def simulated(program: Path) -> Results:
    done = call(program, ["run", "scenarios", "--json"])
    assert done.status == 0, done.stderr
    return by_id(done)


@pytest.fixture(scope="module")
def live(program: Path) -> Results:
    done = call(program, ["run", "scenarios", "--json", *LIVE])
    assert done.status == 0, done.stdout[-4000:] + done.stderr
    assert done.results["target"] == "gateway"
    return by_id(done)


def plain_text(text: str) -> str:
    """A body, which may tell what the service saw."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    text = re.sub(r"(?i)(date: )[^\r\n]*", r"\1<date>", text)
    text = re.sub(r"(?i)(service-time: )\d+", r"\1<time>", text)
    # A retry tells the service what is left of its time.
    text = re.sub(r'("x-envoy-expected-rq-timeout-ms",")\d+', r"\1<left>", text)
    return re.sub(r"(10\.0\.\d+\.\d+):\d{5}", r"\1:<port>", text)


def plain_headers(headers: list[list[str]], own: set[str] = OWN_HEADERS) -> list[list[str]]:
    return [
        [name, "<own>" if name.lower() in own else plain_text(value)] for name, value in headers
    ]


def plain_frames(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in frame.items() if key != "at_ns"} for frame in frames]


def plain_seen(seen: dict[str, Any], is_retry: bool) -> dict[str, Any]:
    return {
        **{key: value for key, value in seen.items() if key != "at_ns"},
        "headers": plain_headers(seen["headers"], RETRY_HEADERS if is_retry else OWN_HEADERS),
        "frames": plain_frames(seen["frames"]),
    }


def plain_request(request: dict[str, Any]) -> dict[str, Any]:
    grpc = request["grpc"]
    return {
        **{key: value for key, value in request.items() if not key.endswith("_at_ns")},
        "response_headers": plain_headers(request["response_headers"]),
        "response_body": plain_text(request["response_body"]),
        "seen": [plain_seen(seen, i > 0) for i, seen in enumerate(request["seen"])],
        "frames": plain_frames(request["frames"]),
        "grpc": grpc and {**grpc, "messages": plain_frames(grpc["messages"])},
    }


def plain_check(check: dict[str, Any]) -> tuple[str, bool, str, str]:
    actual = plain_text(check["actual"])
    if check["name"].rpartition("/headers/")[2] in OWN_HEADERS:
        actual = "<own>"
    if "/log" in check["name"]:
        actual = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", actual)
        actual = re.sub(r'(" \d+ \S+ \d+ \d+) \d+ (\d+|-) "', r'\1 <time> <time> "', actual)
    if check["name"].endswith("/turns"):
        actual = re.sub(r" after \S+$", " after <time>", actual)
    if "/gateways/" in check["name"]:
        actual = "<by the ports that the clients got>"
    return check["name"], check["passed"], check["expected"], actual


def observed(run: dict[str, Any]) -> list[dict[str, Any]]:
    return [plain_request(request) for request in run["requests"]]


def test_each_run_is_shown_or_says_why_not(simulated: Results, live: Results) -> None:
    assert list(live) == list(simulated)
    outcomes = Counter(run["outcome"] for run in live.values())
    assert outcomes == {"passed": SHOWN, "skipped": sum(SKIPPED.values())}

    reasons = [run["reason"] for run in live.values() if run["outcome"] == "skipped"]
    assert {end: sum(reason.endswith(end) for reason in reasons) for end in SKIPPED} == SKIPPED


def test_the_same_is_seen(simulated: Results, live: Results) -> None:
    different = {}
    for id, run in live.items():
        if run["outcome"] == "skipped" or id.startswith(CUT_OFF_AT_ONCE):
            continue
        if observed(run) != observed(simulated[id]):
            different[id] = [
                (key, mine[key], theirs[key])
                for mine, theirs in zip(observed(run), observed(simulated[id]), strict=False)
                for key in mine
                if mine[key] != theirs[key]
            ]
    assert different == {}


def test_who_is_cut_off_at_once_sees_it_otherwise(simulated: Results, live: Results) -> None:
    """But for how the connection ended, the same is seen."""
    ended = {"failure", "response_body", "tls"}
    for id, run in live.items():
        if not id.startswith(CUT_OFF_AT_ONCE):
            continue
        pairs = zip(observed(run), observed(simulated[id]), strict=True)
        for mine, theirs in pairs:
            rest = [{k: v for k, v in each.items() if k not in ended} for each in (mine, theirs)]
            assert rest[0] == rest[1], id
            assert bool(mine["failure"]) == bool(theirs["failure"]), id


def test_the_same_is_judged_times_apart(simulated: Results, live: Results) -> None:
    """Log lines among it: they are observed by being judged."""
    unjudged = 0
    for id, run in live.items():
        if run["outcome"] == "skipped" or id.startswith(CUT_OFF_AT_ONCE):
            continue
        judged = Counter(plain_check(check) for check in run["checks"])
        simulated_checks = Counter(plain_check(check) for check in simulated[id]["checks"])
        assert judged <= simulated_checks, id
        missing = simulated_checks - judged
        # When something came to hold is a time too.
        waited = sum(count for check, count in missing.items() if check[0].endswith("/until"))
        assert missing.total() - waited <= run["unjudged_times"], id
        unjudged += run["unjudged_times"]
    assert unjudged > 0
    assert all(run["unjudged_times"] == 0 for run in simulated.values())


def test_what_is_skipped_is_reported(run: Callable[..., Done], tmp_path: Path) -> None:
    scenario = tmp_path / "far.scenario.yaml"
    scenario.write_text(SMALLEST + "  - { at: 1h, expect: { service/books: { requests: 1 } } }\n")
    smallest = tmp_path / "smallest.scenario.yaml"
    smallest.write_text(SMALLEST)
    reason = "takes 1h0m0s of real time, the limit is 10s"

    done = run(tmp_path, "--target", "gateway", "--report", tmp_path / "report")
    assert done.status == 0
    assert "1 passed, 1 skipped" in done.stdout
    assert reason in done.stdout
    for name in ("results.json", "junit.xml", "summary.md"):
        assert reason in (tmp_path / "report" / name).read_text(), name

    assert run(scenario, "--target", "gateway").status == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "mars"], "--target: must be sim, gateway, envoy or envoy:PATH, is 'mars'"),
        (["--time-scale", "10"], "--time-scale: the target sim takes no real time"),
        (["--live-limit", "10"], "--live-limit: the target sim takes no real time"),
        (["--target", "gateway", "--time-scale", "0"], "--time-scale"),
    ],
    ids=["unknown", "scale-of-sim", "limit-of-sim", "scale-zero"],
)
def test_bad_usage(run: Callable[..., Done], arguments: list[str], message: str) -> None:
    done = run("scenarios", *arguments)
    assert done.status == 4
    assert message in done.stderr
    assert done.stdout == ""
