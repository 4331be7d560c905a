"""curl, nghttp, h2load and wrk through the gateway."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from live.nodes import ANSWER, FILES, TRAILER, content
from live.serving import Serving

# Far more than any of them needs.
SECONDS = 60


def say(*command: str | Path) -> str:
    """What a command prints. It must succeed."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done
    return done.stdout.decode()


@dataclass(frozen=True)
class Answer:
    """What curl wrote of an answer: its head, its trailers, its body."""

    version: str
    status: int
    headers: dict[str, str]
    trailers: dict[str, str]
    body: bytes

    @property
    def seen(self) -> dict:
        return json.loads(self.body)


Curl = Callable[..., Answer]


def fields(block: str) -> dict[str, str]:
    lines = (line.split(": ", 1) for line in block.splitlines() if ": " in line)
    return {name.lower(): value for name, value in lines}


@pytest.fixture
def curl(tmp_path: Path) -> Curl:
    """`curl(url, "--head")` runs it and reads what it wrote."""

    def curl(*arguments: str | Path) -> Answer:
        head, body = tmp_path / "head", tmp_path / "body"
        body.write_bytes(b"")
        say("curl", "--silent", "--show-error", "-D", head, "-o", body, *arguments)
        # An answer to "Expect: 100-continue" comes first.
        text = re.sub(r"\AHTTP/1.1 100 .*?\r\n\r\n", "", head.read_bytes().decode(), flags=re.S)
        start, *trailers = re.split(r"\r\n\r\n", text, maxsplit=1)
        version, status = start.split(maxsplit=2)[:2]
        rest = fields(trailers[0]) if trailers else {}
        return Answer(version, int(status), fields(start), rest, body.read_bytes())

    return curl


# How curl asks, at which gateway, and where the HTTP/1.1 node is there.
HTTP1 = ("http", "/", "--http1.1")
HTTP1_LISTENER_HTTP2 = ("http", "/", "--http2-prior-knowledge")
HTTP2 = ("http2", "/web/", "--http2-prior-knowledge")
WAYS = pytest.mark.parametrize(
    ("name", "path", "version"),
    [HTTP1, HTTP1_LISTENER_HTTP2, HTTP2],
    ids=["http1", "http2-at-http", "http2"],
)


@WAYS
class TestCurlToTheHttp1Node:
    def test_get(self, gateway: Serving, curl: Curl, name: str, path: str, version: str) -> None:
        answer = curl(version, "-H", "X-Own: one", gateway.url(name, f"{path}a/b?c=%20d"))
        assert answer.status == 200
        assert answer.version == ("HTTP/1.1" if version == "--http1.1" else "HTTP/2")
        assert answer.headers["server"] == "envoy"
        assert answer.seen["path"] == "/a/b?c=%20d"
        assert ["host", "web.live.local"] in answer.seen["headers"]
        assert ["x-own", "one"] in answer.seen["headers"]

    def test_post_of_a_mebibyte(
        self,
        gateway: Serving,
        curl: Curl,
        name: str,
        path: str,
        version: str,
        tmp_path: Path,
    ) -> None:
        upload = content(1024 * 1024)
        (tmp_path / "upload").write_bytes(upload)
        data = f"@{tmp_path / 'upload'}"
        answer = curl(version, "--data-binary", data, gateway.url(name, path))
        assert answer.status == 200
        assert answer.seen["method"] == "POST"
        assert answer.seen["sha256"] == hashlib.sha256(upload).hexdigest()
        # Without a length it comes in chunks.
        options = ["-X", "PUT", "-T", "-", "-H", "expect:"]
        command = ["curl", "-s", version, *options, gateway.url(name, path)]
        done = subprocess.run(
            command, input=upload, capture_output=True, timeout=SECONDS, check=True
        )
        seen = json.loads(done.stdout)
        assert ["transfer-encoding", "chunked"] in seen["headers"]
        assert seen["sha256"] == hashlib.sha256(upload).hexdigest()

    def test_head(self, gateway: Serving, curl: Curl, name: str, path: str, version: str) -> None:
        answer = curl(version, "--head", gateway.url(name, path))
        assert answer.status == 200
        assert int(answer.headers["content-length"]) > 0

    def test_trailers_of_http1_do_not_pass(
        self, gateway: Serving, curl: Curl, name: str, path: str, version: str
    ) -> None:
        answer = curl(version, gateway.url(name, f"{path}trailers"))
        assert answer.status == 200
        assert answer.seen["path"] == "/trailers"
        assert answer.trailers == {}


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("http", "--http1.1"),
        ("http", "--http2-prior-knowledge"),
        ("http2", "--http2-prior-knowledge"),
    ],
    ids=["http1", "http2-at-http", "http2"],
)
class TestCurlToTheHttp2Node:
    def test_a_large_download_is_whole(
        self, gateway: Serving, curl: Curl, name: str, version: str
    ) -> None:
        answer = curl(version, gateway.url(name, "/files/large"))
        assert answer.status == 200
        assert len(answer.body) == FILES["large"]
        assert answer.body == content(FILES["large"])

    def test_an_upload_comes_back(
        self, gateway: Serving, curl: Curl, name: str, version: str, tmp_path: Path
    ) -> None:
        upload = tmp_path / "upload"
        upload.write_bytes(content(1024 * 1024))
        data = f"@{upload}"
        answer = curl(version, "--data-binary", data, gateway.url(name, "/files/echo"))
        assert answer.status == 200
        assert answer.body == upload.read_bytes()

    def test_a_small_download_is_whole(
        self, gateway: Serving, curl: Curl, name: str, version: str
    ) -> None:
        answer = curl(version, gateway.url(name, "/files/small"))
        assert answer.status == 200
        assert answer.body == content(FILES["small"])

    def test_what_is_not_there(self, gateway: Serving, curl: Curl, name: str, version: str) -> None:
        assert curl(version, gateway.url(name, "/files/none")).status == 404


def test_no_route_is_404(gateway: Serving, curl: Curl) -> None:
    answer = curl("--http2-prior-knowledge", gateway.url("http2", "/none"))
    assert (answer.status, answer.body) == (404, b"")
    assert "x-envoy-upstream-service-time" not in answer.headers


def test_a_client_that_speaks_http1_to_an_http2_listener_is_cut_off(gateway: Serving) -> None:
    command = ["curl", "-s", "--http1.1", gateway.url("http2", "/fast/")]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout) == (52, b"")  # an empty reply


@pytest.mark.parametrize("name", ["http2", "http"])
def test_trailers_pass_where_every_hop_speaks_http2(gateway: Serving, name: str) -> None:
    said = say("nghttp", "--null-out", "--verbose", gateway.url(name, "/files/small"))
    assert re.search(r"recv \(stream_id=\d+\) :status: 200", said)
    # Behind the http listener both hops speak HTTP/1.1 between them: trailers end there.
    found = re.search(r"recv \(stream_id=\d+\) (x-sum): (\w+)", said)
    assert (found.groups() if found else None) == (TRAILER if name == "http2" else None)


def test_nghttp_asks_for_several_things_on_one_connection(gateway: Serving) -> None:
    urls = [gateway.url("http2", f"/files/{path}") for path in ("small", "none", "small", "large")]
    said = say("nghttp", "--null-out", "--stat", *urls)
    statuses = re.findall(r"^ *\d+ .*? (\d{3}) +\S+ /\S+$", said, flags=re.M)
    assert sorted(statuses) == ["200", "200", "404"], said  # equal ones are asked for once
    command = ["nghttp", "--no-dep", "--verbose", "--multiply=20", gateway.url("http2", "/fast/")]
    assert len(re.findall(r"\[id=1\].*|:status: 200", say(*command))) >= 20


@pytest.mark.parametrize("name", ["http2", "http"])
def test_h2load_every_request_is_answered(gateway: Serving, name: str) -> None:
    options = ["-n", "20000", "-c", "10", "-m", "50"]
    said = say("h2load", *options, gateway.url(name, "/fast/"))
    assert (
        "requests: 20000 total, 20000 started, 20000 done, 20000 succeeded, "
        "0 failed, 0 errored, 0 timeout" in said
    )
    assert "status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx" in said
    assert f"({20000 * len(ANSWER)}) data" in said


WRK_SCRIPT = """\
function init(args) wrong = 0 end
function response(status, headers, body)
  if status ~= 200 or body ~= ANSWER then wrong = wrong + 1 end
end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function done(summary, latency, requests)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong") end
  local errors = summary.errors
  io.write(string.format("requests %d wrong %d status %d connect %d read %d write %d timeout %d\\n",
    summary.requests, wrong, errors.status, errors.connect, errors.read, errors.write,
    errors.timeout))
end
"""


def test_wrk_every_answer_on_200_connections_is_right(gateway: Serving, tmp_path: Path) -> None:
    script = tmp_path / "check.lua"
    script.write_text(WRK_SCRIPT.replace("ANSWER", json.dumps(ANSWER)))
    options = ["-t", "1", "-c", "200", "-d", "2", "--timeout", "10"]
    said = say("wrk", *options, "-s", script, gateway.url("http", "/fast/"))
    requests = int(re.search(r"^requests (\d+) ", said, flags=re.M).group(1))
    assert requests > 200
    end = f"requests {requests} wrong 0 status 0 connect 0 read 0 write 0 timeout 0"
    assert end in said
