"""`meshproof api serve` as a program: its store, many clients at once, signatures, bad input."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.auth
import pytest

from api.server import ACCOUNT, Api, call, make_shop, serve
from harness import Done
from harness import call as run_program

KILLS = 40


def put(api: Api, connection: http.client.HTTPConnection, path: str, body: object) -> int:
    connection.request("PUT", f"/v20190125{path}", json.dumps(body))
    answer = connection.getresponse()
    answer.read()
    return answer.status


def write_until_it_ends(api: Api, prefix: str, wrote: Callable[[], None]) -> list[str]:
    """Create nodes one after the other; the names that were acknowledged, and the one that was
    not."""
    acknowledged = []
    connection = http.client.HTTPConnection(api.address.host, api.address.port, timeout=30)
    for number in range(1_000_000):
        name = f"{prefix}-{number}"
        try:
            body = {"virtualNodeName": name, "spec": {"listeners": []}}
            assert put(api, connection, "/meshes/shop/virtualNodes", body) == 200
        except (OSError, http.client.HTTPException):
            return [*acknowledged, name]
        acknowledged.append(name)
        wrote()
    raise AssertionError("was never killed")


def test_nothing_acknowledged_is_lost_to_kill_9(program: Path, tmp_path: Path) -> None:
    store = tmp_path / "mesh.db"
    expected: set[str] = set()
    with serve(program, "--store", store) as api:
        api.client().create_mesh(meshName="shop")
    for round_number in range(KILLS):
        with serve(program, "--store", store, "--no-quotas") as api:
            count = threading.Semaphore(0)
            with ThreadPoolExecutor(4) as pool:
                writers = [
                    pool.submit(
                        write_until_it_ends,
                        api,
                        f"r{round_number}w{writer}",
                        count.release,
                    )
                    for writer in range(4)
                ]
                # In the middle of writes: after more of them each time.
                for _ in range(round_number + 1):
                    count.acquire()
                api.process.stop()  # kill -9
                names = [writer.result() for writer in writers]
        with closing(sqlite3.connect(store)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            there = {
                name
                for (name,) in database.execute(
                    "SELECT name FROM record WHERE collection LIKE 'virtualNodes/%'"
                )
            }
        for each in names:
            expected.update(each[:-1])
            # The last one of each had no answer: it is there, whole, or it is not.
            expected.update({each[-1]} & there)
        assert there == expected
    with serve(program, "--store", store) as api:
        pages = api.client().get_paginator("list_virtual_nodes").paginate(meshName="shop")
        listed = [node["virtualNodeName"] for page in pages for node in page["virtualNodes"]]
        assert listed == sorted(expected)


def test_32_clients_at_once(program: Path, tmp_path: Path) -> None:
    with serve(program, "--store", tmp_path / "mesh.db", "--no-quotas") as api:
        api.client().create_mesh(meshName="shop")

        def work(number: int) -> list[str]:
            connection = http.client.HTTPConnection(api.address.host, api.address.port, timeout=60)
            path = "/meshes/shop/virtualNodes"
            codes = []
            for each in range(20):
                own = {"virtualNodeName": f"own-{number}-{each}", "spec": {}}
                assert put(api, connection, path, own) == 200
                codes.append(
                    str(put(api, connection, path, {"virtualNodeName": f"same-{each}", "spec": {}}))
                )
            return codes

        with ThreadPoolExecutor(32) as pool:
            codes = [code for each in pool.map(work, range(32)) for code in each]
        pages = api.client().get_paginator("list_virtual_nodes").paginate(meshName="shop")
        listed = [node["virtualNodeName"] for page in pages for node in page["virtualNodes"]]
    # Of those who wanted one name one got it.
    assert (codes.count("200"), codes.count("409")) == (20, 31 * 20)
    assert len(listed) == 32 * 20 + 20


ACCOUNTS = f"""\
accounts:
  - {{ id: "{ACCOUNT}", keys: [ {{ id: AKIAOWNER, secret: right }},
                              {{ id: ASIAOWNER, secret: right, sessionToken: token }} ] }}
"""


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.yaml"
    path.write_text(ACCOUNTS)
    return path


def test_signatures_are_verified(
    program: Path, accounts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(program, "--accounts", accounts) as api:
        make_shop(api.client("AKIAOWNER", "right"))
        # A name that is escaped, in the path and once more in what is signed.
        odd = {"meshName": "shop", "virtualServiceName": "a b/c+d%é"}
        client = api.client("ASIAOWNER", "right", token="token")
        assert isinstance(call(client, "CreateVirtualService", **odd, spec={}), dict)
        described = call(client, "DescribeVirtualService", **odd, meshOwner=ACCOUNT)
        assert described["virtualService"]["virtualServiceName"] == odd["virtualServiceName"]

        for code, client in (
            ("InvalidSignatureException", api.client("AKIAOWNER", "wrong")),
            ("UnrecognizedClientException", api.client("AKIANOBODY", "right")),
            ("UnrecognizedClientException", api.client("ASIAOWNER", "right", token="old")),
            ("UnrecognizedClientException", api.client("ASIAOWNER", "right")),
            ("InvalidSignatureException", api.client("AKIAOWNER", "right", region="eu-west-1")),
        ):
            assert call(client, "ListMeshes") == code
            assert call(client, "DeleteMesh", meshName="shop") == code

        for minutes in (-6, 6):
            then = datetime.now(UTC) + timedelta(minutes=minutes)
            with monkeypatch.context() as clock:
                clock.setattr(botocore.auth, "get_current_datetime", lambda then=then: then)
                client = api.client("AKIAOWNER", "right")
                assert call(client, "ListMeshes") == "InvalidSignatureException"
        assert call(api.client("AKIAOWNER", "right"), "DescribeMesh", meshName="shop")["mesh"]


def test_without_accounts_no_signature_is_needed(program: Path) -> None:
    with serve(program) as api:
        connection = http.client.HTTPConnection(api.address.host, api.address.port, timeout=30)
        assert put(api, connection, "/meshes", {"meshName": "shop"}) == 200
        assert "takes any signature, as account 123456789012" in api.process.said()


def test_what_is_no_request_ends_its_own_connection_alone(program: Path) -> None:
    with serve(program) as api:
        connection = http.client.HTTPConnection(api.address.host, api.address.port, timeout=30)
        for body, status in (
            ("x" * (1 << 20), 400),
            ("x" * ((1 << 20) + 1), 400),
            ("x" * (32 << 20), 400),  # far more than sockets hold: it is refused while it is sent
            ("[" * 9999, 400),
        ):
            connection.request("PUT", "/v20190125/meshes", body)
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("x-amzn-ErrorType")) == (
                status,
                "BadRequestException",
            )
            answer.read()
        with api.address.connect() as plain:
            plain.sendall(b"no request at all\r\n\r\n")
            assert plain.recv(1) == b""
        assert put(api, connection, "/meshes", {"meshName": "shop"}) == 200


def refused(program: Path, *options: str | os.PathLike[str]) -> str:
    done: Done = run_program(program, ["api", "serve", *options])
    assert (done.status, done.stdout) == (4, "")
    return done.stderr


def test_bad_usage_is_refused(program: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(program, "--port", str(port))
        assert said == (
            f"meshproof: --port: must be one to listen on, is 127.0.0.1:{port}: "
            "Address already in use\n"
        )
    assert "there is no such file" in refused(program, "--accounts", tmp_path / "absent.yaml")
    (tmp_path / "bad.yaml").write_text("accounts: [ { id: 1 } ]\n")
    said = refused(program, "--accounts", tmp_path / "bad.yaml")
    assert "bad.yaml:1:19: /accounts/0/id: must be a string, is 1" in said
    assert "/accounts/0/keys: is required" in said
    assert "unable to open database file" in refused(program, "--store", "/proc/mesh.db")
    (tmp_path / "text.db").write_text("a text, not a database, of more than a few bytes")
    assert "file is not a database" in refused(program, "--store", tmp_path / "text.db")
    for options in (
        ("--listen", "here"),
        ("--era", "seed-c"),
        ("--region", "US WEST"),
        ("--connections", "0"),
        ("--calls-per-second", "0"),
    ):
        assert options[0] in refused(program, *options)


def test_a_store_is_one_programs_at_a_time(program: Path, tmp_path: Path) -> None:
    store = tmp_path / "mesh.db"
    with serve(program, "--store", store) as api:
        assert "is in use by another process" in refused(program, "--store", store)
        make_shop(api.client())


def test_a_store_that_cannot_be_written_is_refused_and_kept(program: Path, tmp_path: Path) -> None:
    store = tmp_path / "mesh.db"
    with closing(sqlite3.connect(store)) as other:
        other.execute("CREATE TABLE somebody_elses (a)")
    before = store.read_bytes()
    assert "is a database of another program" in refused(program, "--store", store)
    assert store.read_bytes() == before
