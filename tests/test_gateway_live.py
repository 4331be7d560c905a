"""The gateway, a service and a client on real sockets: what they serve, and how they refuse."""

from __future__ import annotations

import http.client
import json
import resource
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import Done, call

WAIT_SECONDS = 30

MESH = """\
mesh: shop
virtualGateways:
  - virtualGatewayName: edge
    spec:
      listeners: [ { portMapping: { port: 9080, protocol: http } } ]
      logging: { accessLog: { file: { path: LOG } } }
gatewayRoutes:
  - gatewayRouteName: chapters
    virtualGatewayName: edge
    spec:
      httpRoute:
        match: { prefix: /chapter }
        action: { target: { virtualService: { virtualServiceName: books.shop.local } } }
  - gatewayRouteName: songs
    virtualGatewayName: edge
    spec:
      httpRoute:
        match: { prefix: /songs/ }
        action:
          target: { virtualService: { virtualServiceName: music.shop.local } }
          rewrite: { prefix: { defaultPrefix: DISABLED } }
virtualNodes:
  - virtualNodeName: books
    spec:
      listeners: [ { portMapping: { port: 8080, protocol: http } } ]
      serviceDiscovery: { dns: { hostname: books.internal.invalid } }
  - virtualNodeName: music
    spec:
      listeners: [ { portMapping: { port: 8080, protocol: http } } ]
      serviceDiscovery: { dns: { hostname: music.internal.invalid } }
virtualServices:
  - virtualServiceName: books.shop.local
    spec: { provider: { virtualNode: { virtualNodeName: books } } }
  - virtualServiceName: music.shop.local
    spec: { provider: { virtualNode: { virtualNodeName: music } } }
"""

SECOND_GATEWAY = """\
virtualGatewayName: side
meshName: shop
spec: { listeners: [ { portMapping: { port: 9081, protocol: http } } ] }
"""


@dataclass
class Server:
    """A command that serves until it is told to end."""

    process: subprocess.Popen[str]
    ready: str  # the line that says so
    port: int

    def request(self, path: str, **options: object) -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        try:
            connection.request(options.pop("method", "GET"), path, **options)
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else {}
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)

    def end(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(WAIT_SECONDS)

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")


Start = Callable[..., Server]


@pytest.fixture
def start(program: Path) -> Iterator[Start]:
    """`start("service", "--port", "0")` returns when it is ready. All end with the test."""
    with ExitStack() as stack:

        def start(
            *arguments: str,
            environment: dict[str, str] | None = None,
            descriptors: int | None = None,
        ) -> Server:
            def limit() -> None:
                if descriptors is not None:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

            process = stack.enter_context(
                subprocess.Popen(
                    [program, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                    preexec_fn=limit,
                )
            )
            stack.callback(process.kill)
            assert process.stderr is not None
            ready = process.stderr.readline()
            assert " at " in ready, ready + process.stderr.read()
            return Server(process, ready, int(ready.rsplit(":", 1)[1]))

        yield start


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def mesh(tmp_path: Path, log: Path) -> Path:
    path = tmp_path / "mesh.yaml"
    path.write_text(MESH.replace("LOG", str(log)))
    return path


@pytest.fixture
def books(start: Start) -> Server:
    return start("service", "--port", "0", "--listen", "127.0.0.1", "--name", "books")


@pytest.fixture
def gateway(start: Start, mesh: Path, books: Server) -> Server:
    service = f"books=127.0.0.1:{books.port}"
    return start("gateway", "--mesh", str(mesh), "--port", "0", "--service", service)


def test_requests_are_routed_and_rewritten(start: Start, mesh: Path, books: Server) -> None:
    music = start("service", "--port", "0", "--name", "music")
    gateway = start(
        *["gateway", "--mesh", str(mesh), "--port", "0"],
        *["--service", f"books=localhost:{books.port}"],
        *["--service", f"music.shop.local=127.0.0.1:{music.port}"],
    )
    status, seen = gateway.request("/chapter/1?page=2", headers={"Host": "shop.example"})
    assert status == 200
    assert (seen["service"], seen["path"], seen["host"]) == (
        "books",
        "/1?page=2",
        "books.shop.local",
    )
    assert ["x-envoy-original-path", "/chapter/1?page=2"] in seen["headers"]

    status, seen = gateway.request("/songs/7", method="POST", body="la la")
    assert status == 200
    assert (seen["service"], seen["path"], seen["body"]) == ("music", "/songs/7", "la la")

    assert gateway.request("/elsewhere")[0] == 404


def test_one_connection_carries_many_requests(gateway: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=WAIT_SECONDS)
    for number in range(50):
        connection.request("GET", f"/chapter/{number}")
        assert json.loads(connection.getresponse().read())["path"] == f"/{number}"
    connection.close()


def test_a_large_body_goes_through_whole(gateway: Server) -> None:
    body = "0123456789" * 300_000
    status, seen = gateway.request("/chapter/1", method="PUT", body=body)
    assert status == 200
    assert seen["body"] == body


def test_each_hop_writes_its_access_line(gateway: Server, log: Path) -> None:
    gateway.request("/chapter/1", headers={"User-Agent": "test"})
    assert gateway.end() == 0
    egress, ingress = log.read_text().splitlines()
    assert '"GET /chapter/1 HTTP/1.1" 200 - 0 ' in egress
    assert '"GET /chapter/1 HTTP/1.1" 200 - 0 ' in ingress
    assert '"test"' in ingress
    assert ingress.endswith('"127.0.0.1:15001"')


def test_the_log_file_takes_the_place_of_the_gateways_own(
    start: Start, mesh: Path, log: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.log"
    gateway = start("gateway", "--mesh", str(mesh), "--port", "0", "--log-file", str(other))
    assert gateway.request("/elsewhere")[0] == 404
    assert gateway.end() == 0
    assert " 404 NR " in other.read_text()
    assert not log.exists()


def test_one_seed_gives_the_same_request_ids(start: Start, mesh: Path, books: Server) -> None:
    ids = []
    for _ in range(2):
        service = f"books=127.0.0.1:{books.port}"
        options = ["--mesh", str(mesh), "--port", "0", "--service", service, "--seed", "7"]
        gateway = start("gateway", *options)
        headers = dict(gateway.request("/chapter/1")[1]["headers"])
        ids.append(headers["x-request-id"])
        gateway.end()
    assert ids[0] == ids[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_at_once_with_requests_in_flight(
    start: Start, mesh: Path, how: int
) -> None:
    slow = start("service", "--port", "0", "--after", "3600")
    service = f"books=127.0.0.1:{slow.port}"
    gateway = start("gateway", "--mesh", str(mesh), "--port", "0", "--service", service)
    with gateway.connect() as client:
        client.sendall(b"GET /chapter/1 HTTP/1.1\r\nhost: a\r\n\r\n")
        # Another request is served after the first one was read.
        assert gateway.request("/elsewhere")[0] == 404
        assert gateway.end(how) == 0
        assert client.recv(1000) == b""


def test_the_environment_says_which_gateway_and_its_name(start: Start, mesh: Path) -> None:
    environment = {
        "APPMESH_RESOURCE_ARN": "arn:aws:appmesh:us-west-2:123456789012:"
        "mesh/shop/virtualGateway/edge",
        "APPMESH_RESOURCE_CLUSTER": "front",
    }
    gateway = start("gateway", "--mesh", str(mesh), "--port", "0", environment=environment)
    assert environment["APPMESH_RESOURCE_ARN"] + " serves as front at " in gateway.ready


def test_who_sends_slowly_or_nothing_does_not_hold_up_others(gateway: Server) -> None:
    with ExitStack() as stack:
        gateway.request("/chapter/0")
        before = gateway.resident_bytes()
        silent = [stack.enter_context(gateway.connect()) for _ in range(400)]
        slow = stack.enter_context(gateway.connect())
        request = b"GET /chapter/slow HTTP/1.1\r\nhost: a\r\n\r\n"
        for byte in request:
            slow.sendall(bytes([byte]))
            assert gateway.request("/chapter/1")[0] == 200
        assert slow.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        assert gateway.resident_bytes() - before < 400 * 16384
        assert len(silent) == 400


def test_without_descriptors_it_serves_whom_it_has_and_then_others(
    start: Start, mesh: Path, books: Server
) -> None:
    gateway = start(
        *["gateway", "--mesh", str(mesh), "--port", "0"],
        *["--service", f"books=127.0.0.1:{books.port}"],
        descriptors=64,
    )
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.connect()) for _ in range(100)]
        # The first ones were accepted; the last ones wait in the kernel.
        for client in clients[:10]:
            client.sendall(b"GET /chapter/1 HTTP/1.1\r\nhost: a\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        for client in clients[:90]:
            client.close()
        clients[-1].sendall(b"GET /chapter/1 HTTP/1.1\r\nhost: a\r\n\r\n")
        assert clients[-1].recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert gateway.end() == 0


def test_the_client_prints_answers(program: Path, gateway: Server) -> None:
    url = f"http://localhost:{gateway.port}/chapter/1"
    done = call(program, ["client", url])
    assert done.status == 0
    assert done.stdout.startswith("HTTP/1.1 200 OK\n")

    options = ["--method", "POST", "--body", "b", "-H", "x-a: 1", "--count", "5"]
    done = call(program, ["client", url, *options, "--connections", "2", "--json"])
    assert done.status == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(answer["request"] for answer in answers) == [1, 2, 3, 4, 5]
    seen = json.loads(answers[0]["body"])
    assert (seen["method"], seen["body"]) == ("POST", "b")
    assert ["x-a", "1"] in seen["headers"]


def test_the_client_says_what_failed(program: Path, gateway: Server) -> None:
    gateway.end()
    done = call(program, ["client", f"http://localhost:{gateway.port}/"])
    assert (done.status, done.stdout) == (1, "connection refused\n")


def test_a_service_answers_as_it_is_told(start: Start) -> None:
    options = ["--respond", "503", "--body", '{"busy":true}', "-H", "content-type: text/plain"]
    service = start("service", "--port", "0", *options)
    assert service.request("/") == (503, {"busy": True})
    assert service.end() == 0


# --- bad input ----------------------------------------------------------------------------------


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refused(program: Path, mesh: Path) -> Callable[..., str]:
    """What a gateway says that does not start; what follows is added to the mesh file's option."""

    def refused(*arguments: str, meshes: tuple[Path, ...] = (), **options: object) -> str:
        files = [str(path) for path in meshes or (mesh,)]
        done: Done = call(program, ["gateway", "--mesh", *files, *arguments], **options)
        assert done.status == 4, done
        assert done.stdout == ""
        return done.stderr

    return refused


def test_a_taken_port_is_named(refused: Callable[..., str], mesh: Path) -> None:
    with taken_port() as port:
        said = refused("--port", str(port))
    assert said == f"meshproof: {mesh}:3:5: port {port} is in use\n"


def test_a_mesh_file_that_is_not_there_is_named(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    missing = tmp_path / "missing.yaml"
    assert refused(meshes=(missing,)) == f"meshproof: {missing}: there is no such file\n"


def test_errors_of_a_mesh_file_have_their_place(refused: Callable[..., str], mesh: Path) -> None:
    mesh.write_text(mesh.read_text().replace("9080", "90800").replace("/songs/", "songs"))
    first, second = refused().splitlines()
    assert f"{mesh}:5:" in first
    assert "90800" in first
    assert f"{mesh}:18:" in second


def test_a_gateway_that_does_not_exist_is_answered_with_those_that_do(
    refused: Callable[..., str],
) -> None:
    said = refused("--resource", "mesh/shop/virtualGateway/back")
    assert said == (
        "meshproof: --resource: there is no 'mesh/shop/virtualGateway/back': "
        "there is mesh/shop/virtualGateway/edge\n"
    )


def test_fewer_parts_than_a_resource_has_are_refused(refused: Callable[..., str]) -> None:
    said = refused(environment={"APPMESH_RESOURCE_ARN": "virtualGateway/edge"})
    assert said.startswith("meshproof: APPMESH_RESOURCE_ARN: ")
    assert '"virtualGateway/edge"' in said


def test_one_of_several_gateways_must_be_chosen(
    refused: Callable[..., str], mesh: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second.yaml"
    second.write_text(SECOND_GATEWAY)
    said = refused(meshes=(mesh, second))
    assert "APPMESH_RESOURCE_ARN must say which gateway: there are " in said
    assert "mesh/shop/virtualGateway/edge, mesh/shop/virtualGateway/side" in said


def test_every_service_that_is_wrong_is_said(refused: Callable[..., str]) -> None:
    said = refused("--service", "films=127.0.0.1:80", "--service", "plays=127.0.0.1:80")
    assert "no cluster is 'films', only: books, books.shop.local, music" in said
    assert "no cluster is 'plays'" in said
    assert "must be NAME=HOST:PORT" in refused("--service", "books")


def test_a_service_that_does_not_resolve_and_a_taken_port_are_both_said(
    refused: Callable[..., str],
) -> None:
    with taken_port() as port:
        said = refused("--service", "books=no.such.host.invalid:80", "--port", str(port))
    assert "--service: no.such.host.invalid of 'books' does not resolve\n" in said
    assert f"port {port} is in use\n" in said


def test_a_log_that_cannot_be_written_is_named(refused: Callable[..., str]) -> None:
    said = refused("--port", "0", "--log-file", "/no/such/folder/log")
    assert "/no/such/folder/log cannot be written" in said


def test_an_address_to_listen_on_must_be_one(refused: Callable[..., str]) -> None:
    assert "--listen: must be an IPv4 address, is 'nowhere'" in refused("--listen", "nowhere")


def test_a_port_out_of_range_is_bad_usage(refused: Callable[..., str]) -> None:
    assert "--port" in refused("--port", "65536")


def test_a_service_on_a_taken_port_does_not_start(program: Path) -> None:
    with taken_port() as port:
        done = call(program, ["service", "--port", str(port)])
    assert (done.status, done.stderr) == (4, f"meshproof: port {port} is in use\n")
