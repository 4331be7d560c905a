"""The gateway with TLS from files: curl and OpenSSL in front of it, OpenSSL behind it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import Done, call
from live.processes import Address, running

# Far more than any of them needs.
SECONDS = 60

CERTIFICATE = (
    "certificate: { file: { certificateChain: FOLDER/edge.pem, privateKey: FOLDER/edge.key } }"
)
TRUST = "trust: { file: { certificateChain: FOLDER/ca.pem } }"
NAMES = 'subjectAlternativeNames: { match: { exact: [ "spiffe://shop/partner" ] } }'

MESH = """\
mesh: shop
virtualGateways:
  - virtualGatewayName: edge
    spec:
      listeners: [ { portMapping: { port: 9080, protocol: http }LISTENER } ]
      backendDefaults: { clientPolicy: { POLICY } }
gatewayRoutes:
  - gatewayRouteName: all
    virtualGatewayName: edge
    spec:
      httpRoute:
        match: { prefix: / }
        action: { target: { virtualService: { virtualServiceName: books.shop.local } } }
virtualNodes:
  - virtualNodeName: books
    spec:
      listeners: [ { portMapping: { port: 8080, protocol: http } } ]
      serviceDiscovery: { dns: { hostname: books.shop.local } }
virtualServices:
  - virtualServiceName: books.shop.local
    spec: { provider: { virtualNode: { virtualNodeName: books } } }
"""


def openssl(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Authority:
    """A folder with `ca.pem`, and what this authority issues there."""

    folder: Path

    def issue(self, name: str, names: str, *, issuer: str = "ca") -> None:
        """Writes `name`.pem and `name`.key; without an issuer it signs itself."""
        own = self.folder / name
        signed = (
            ["-CA", self.folder / f"{issuer}.pem", "-CAkey", self.folder / f"{issuer}.key"]
            if issuer
            else []
        )
        extension = f"subjectAltName={names}" if names else "keyUsage=critical,keyCertSign"
        done = openssl(
            *["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            *["-subj", f"/CN={name}", "-addext", extension, "-days", "2", *signed],
            *["-keyout", own.with_suffix(".key"), "-out", own.with_suffix(".pem")],
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("pki"))
    made.issue("ca", "", issuer="")
    made.issue("edge", "DNS:myapp.example.com")
    made.issue("partner", "URI:spiffe://shop/partner")
    made.issue("stranger", "URI:spiffe://shop/stranger")
    made.issue("books", "DNS:books.shop.local")
    made.issue("other-ca", "", issuer="")
    locked = openssl(
        *["pkey", "-in", made.folder / "edge.key", "-out", made.folder / "locked.key"],
        *["-aes256", "-passout", "pass:secret"],
    )
    assert locked.returncode == 0, locked.stderr
    made.issue("forged", "DNS:books.shop.local", issuer="other-ca")
    return made


Serve = Callable[..., Address]


@pytest.fixture
def write_mesh(authority: Authority, tmp_path: Path) -> Callable[..., Path]:
    """`write_mesh("tls of the listener", "tls of the client policy")`."""

    def write(listener: str = "", policy: str = "") -> Path:
        text = MESH.replace("LISTENER", f", tls: {{ {listener} }}" if listener else "")
        text = text.replace("POLICY", f"tls: {{ {policy} }}" if policy else "")
        path = tmp_path / "shop.mesh.yaml"
        path.write_text(text.replace("FOLDER", str(authority.folder)))
        return path

    return write


@pytest.fixture
def serve(program: Path, write_mesh: Callable[..., Path]) -> Iterator[Serve]:
    """Starts a gateway, and behind it the service at `books`, or one of ours in plain text."""
    with ExitStack() as stack:

        def start(command: list[str | Path], says: str) -> Address:
            process = stack.enter_context(running(command))
            return Address(int(process.wait_for(says).group(1)))

        def serve(listener: str = "", policy: str = "", books: Address | None = None) -> Address:
            if books is None:
                books = start([program, "service", "--port", "0"], r" at \S+:(\d+)$")
            mesh = write_mesh(listener, policy)
            options = ["--mesh", mesh, "--port", "0", "--service", f"books={books}"]
            return start([program, "gateway", *options], r" at \S+:(\d+)$")

        yield serve


@pytest.fixture
def secure_books(authority: Authority) -> Iterator[Callable[[str], Address]]:
    """`secure_books("NAME")`: OpenSSL's own server, with that certificate."""
    with ExitStack() as stack:

        def serve(name: str) -> Address:
            own = authority.folder / name
            process = stack.enter_context(
                running(
                    [
                        *["openssl", "s_server", "-accept", "127.0.0.1:0", "-www"],
                        *["-cert", own.with_suffix(".pem"), "-key", own.with_suffix(".key")],
                    ]
                )
            )
            return Address(int(process.wait_for(r"ACCEPT \S+:(\d+)").group(1)))

        yield serve


def curl(gateway: Address, authority: Authority, scheme: str, *options: str | Path) -> str:
    """The status that curl got, or "exit N" of a connection that failed."""
    host = "myapp.example.com"
    done = subprocess.run(
        [
            *["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"],
            *["--resolve", f"{host}:{gateway.port}:{gateway.host}"],
            *["--cacert", authority.folder / "ca.pem", *options],
            f"{scheme}://{host}:{gateway.port}/chapter/1",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}"


def shown(authority: Authority, name: str) -> list[str | Path]:
    own = authority.folder / name
    return ["--cert", own.with_suffix(".pem"), "--key", own.with_suffix(".key")]


# TL-01. curl: 35 is a failed handshake, 52 an answer of no bytes.
@pytest.mark.parametrize(
    ("mode", "secure", "plain"),
    [("STRICT", "200", "exit 52"), ("PERMISSIVE", "200", "200"), ("DISABLED", "exit 35", "200")],
)
def test_the_mode_says_who_is_served(
    serve: Serve, authority: Authority, mode: str, secure: str, plain: str
) -> None:
    gateway = serve(f"mode: {mode}, {CERTIFICATE}")
    assert curl(gateway, authority, "https") == secure
    assert curl(gateway, authority, "http") == plain


# AM-TLS-10, ENV-TLS-04.
@pytest.mark.parametrize(
    ("version", "taken"), [("tls1", False), ("tls1_1", False), ("tls1_2", True), ("tls1_3", True)]
)
def test_tls_1_2_and_1_3_are_spoken(
    serve: Serve, authority: Authority, version: str, taken: bool
) -> None:
    gateway = serve(f"mode: STRICT, {CERTIFICATE}")
    done = openssl(
        *["s_client", "-connect", str(gateway), f"-{version}", "-cipher", "ALL:@SECLEVEL=0"],
        *["-CAfile", authority.folder / "ca.pem", "-servername", "myapp.example.com"],
        *["-verify_return_error", "-verify_hostname", "myapp.example.com"],
    )
    assert (done.returncode == 0) == taken, done
    assert ("alert number 70" in done.stderr) != taken, done.stderr


# TL-03, TL-04. TLS 1.3 lets the client finish its handshake; curl then reads the alert: 56.
@pytest.mark.parametrize(
    ("shows", "outcome"), [("partner", "200"), ("stranger", "exit 56"), (None, "exit 56")]
)
def test_clients_must_show_who_they_are(
    serve: Serve, authority: Authority, shows: str | None, outcome: str
) -> None:
    gateway = serve(f"mode: STRICT, {CERTIFICATE}, validation: {{ {TRUST}, {NAMES} }}")
    options = shown(authority, shows) if shows else []
    assert curl(gateway, authority, "https", *options) == outcome


# TC-01, TC-03, TC-04.
@pytest.mark.parametrize(
    ("shows", "status"), [("books", "200"), ("edge", "503"), ("forged", "503"), (None, "503")]
)
def test_services_must_show_who_they_are(
    serve: Serve,
    authority: Authority,
    secure_books: Callable[[str], Address],
    shows: str | None,
    status: str,
) -> None:
    books = secure_books(shows) if shows else None
    gateway = serve(policy=f"validation: {{ {TRUST} }}", books=books)
    assert curl(gateway, authority, "http") == status


def findings(gateway: Address, tmp_path: Path, *checks: str) -> dict[str, str]:
    """What testssl.sh found, by its names for it."""
    found = tmp_path / "testssl.json"
    subprocess.run(
        ["testssl", *checks, "--warnings", "off", "--jsonfile", found, str(gateway)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=4 * SECONDS,
        check=False,  # its status counts what it does not like
    )
    return {each["id"]: each["finding"] for each in json.loads(found.read_text())}


# ENV-TLS-04, -05, -15.
def test_testssl_finds_what_the_real_proxy_offers(serve: Serve, tmp_path: Path) -> None:
    gateway = serve(f"mode: STRICT, {CERTIFICATE}")
    found = findings(gateway, tmp_path, "--protocols", "--std", "--pfs", "--renegotiation")
    offered = {each: found[each] for each in ("SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")}
    assert offered == {
        "SSLv3": "not offered",
        "TLS1": "not offered",
        "TLS1_1": "not offered",
        "TLS1_2": "offered",
        "TLS1_3": "offered with final",
    }
    ciphers = {id: found[id] for id in found if id.startswith("cipherlist_") and "STRONG" not in id}
    assert set(ciphers.values()) == {"not offered"}, ciphers
    assert found["cipherlist_STRONG"] == "offered"
    assert set(found["PFS_ECDHE_curves"].split()) == {"prime256v1", "X25519"}
    assert found["secure_renego"] == "supported"
    assert found["secure_client_renego"] == "not vulnerable"


# TL-01, TL-03. A listener that wants certificates offers the same, before it asks for one.
@pytest.mark.parametrize(
    "listener",
    [f"mode: PERMISSIVE, {CERTIFICATE}", f"mode: STRICT, {CERTIFICATE}, validation: {{ {TRUST} }}"],
    ids=["permissive", "mutual"],
)
def test_testssl_finds_the_same_versions_elsewhere(
    serve: Serve, tmp_path: Path, listener: str
) -> None:
    found = findings(serve(listener), tmp_path, "--protocols")
    assert (found["TLS1_1"], found["TLS1_2"]) == ("not offered", "offered")


def test_testssl_finds_no_tls_where_it_is_disabled(serve: Serve, tmp_path: Path) -> None:
    found = findings(serve(f"mode: DISABLED, {CERTIFICATE}"), tmp_path, "--protocols")
    assert "offered" not in found.values()


# The scenarios' own peers, at both ends.
def test_our_client_and_service_speak_tls(
    program: Path, serve: Serve, authority: Authority, tmp_path: Path
) -> None:
    folder = authority.folder
    own = ["--cert", folder / "books.pem", "--key", folder / "books.key"]
    command = [program, "service", "--port", "0", *own, "--cacert", folder / "ca.pem"]
    with running(command) as books:
        place = Address(int(books.wait_for(r" at \S+:(\d+)$").group(1)))
        shows = CERTIFICATE.replace("edge", "partner")
        gateway = serve(
            f"mode: STRICT, {CERTIFICATE}, validation: {{ {TRUST} }}",
            f"{shows}, validation: {{ {TRUST} }}",
            place,
        )
        url = f"https://{gateway}/chapter/1"
        trust = ["--cacert", folder / "ca.pem", "--servername", "myapp.example.com"]
        done = call(program, ["client", "--json", url, *trust, *shown(authority, "stranger")])
        answer = json.loads(done.stdout)
        assert (answer["status"], json.loads(answer["body"])["path"]) == (200, "/chapter/1")
        assert answer["tls"]["certificate"] == "CN=edge"

        done = call(program, ["client", url, *trust])
        assert done.status == 1
        assert done.stdout.startswith("TLS failed: ")
        elsewhere = ["--cacert", folder / "other-ca.pem", *trust[2:]]
        done = call(program, ["client", url, *elsewhere, *shown(authority, "stranger")])
        assert (done.status, "CERTIFICATE_VERIFY_FAILED" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["https://127.0.0.1:1/"], "https needs --cacert FILE"),
        (["--insecure", "http://127.0.0.1:1/"], "needs a URL that begins with https://"),
        (["--cacert", "/none", "https://127.0.0.1:1/"], "/none: there is no such file"),
        (["--insecure", "--cert", "/none", "https://127.0.0.1:1/"], "--cert needs --key"),
    ],
)
def test_what_a_client_cannot_use_is_told(program: Path, options: list[str], says: str) -> None:
    done = call(program, ["client", *options])
    assert (done.status, says in done.stderr) == (4, True), done


def refused(program: Path, mesh: Path) -> str:
    done: Done = call(program, ["gateway", "--mesh", mesh, "--port", "0"])
    assert done.status == 4, done
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("edge.pem", "none.pem", "none.pem: there is no such file"),
        ("edge.key", "partner.key", "the private key is not the certificate's"),
        ("edge.key", "locked.key", "the private key is encrypted"),
        ("edge.pem", "edge.key", "holds no certificate"),
        (
            "file: { certificateChain: FOLDER/edge.pem, privateKey: FOLDER/edge.key }",
            "sds: { secretName: edge }",
            "is the secret edge, which nobody gives",
        ),
    ],
)
def test_what_cannot_be_used_is_told_at_the_start(
    program: Path, write_mesh: Callable[..., Path], old: str, new: str, says: str
) -> None:
    mesh = write_mesh(f"mode: STRICT, {CERTIFICATE.replace(old, new)}")
    told = refused(program, mesh)
    assert f"{mesh}:3:5: /spec/listeners/0/tls/certificate" in told
    assert says in told
