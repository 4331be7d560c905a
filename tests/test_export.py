"""A gateway as a real Envoy's configuration: Envoy takes every one that the scenarios have."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT, Done, call
from live import envoy

# Of each variant of a scenario.
REFUSED_BY_ENVOY = {
    # The scenario shows just that: a proxy keeps what it had (AM-LOG-05).
    "logging/bad-format": "NO_SUCH_COMMAND",
}


def put_in(value: Any, values: dict[str, Any]) -> Any:  # noqa: ANN401
    """What `vary` makes of the rest of a scenario: see conformance/vary.h."""
    if isinstance(value, dict):
        return {put_in(key, values): put_in(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [put_in(one, values) for one in value]
    if not isinstance(value, str):
        return value
    for name, one in values.items():
        if value in (f"${name}", f"${{{name}}}"):
            return one
        for written in (rf"\${name}\b", rf"\$\{{{name}\}}"):
            value = re.sub(written, lambda _, one=one: str(one), value)
    return value


def meshes(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each mesh of each scenario, in a file of its own."""
    for file in sorted(ROOT.glob("scenarios/**/*.scenario.yaml")):
        scenario = yaml.load(file.read_text(), yaml.CSafeLoader)
        name = str(file.relative_to(ROOT / "scenarios")).removesuffix(".scenario.yaml")
        if not isinstance(scenario["mesh"], list):
            yield name, file
            continue
        vary = scenario.pop("vary", {})
        for i, values in enumerate(itertools.product(*vary.values())):
            varied = put_in(scenario, dict(zip(vary, values, strict=True)))
            path = folder / f"{name.replace('/', '+')}.{i}.yaml"
            path.write_text(yaml.dump(varied, Dumper=yaml.CSafeDumper, sort_keys=False))
            yield name, path


def export(program: Path, *arguments: str | os.PathLike[str]) -> Done:
    return call(program, ["export", "envoy", *arguments])


def export_all(program: Path, mesh: Path, folder: Path, *form: str) -> list[Path]:
    """Of each gateway of a mesh; none if the mesh is refused."""
    done = export(program, mesh, "-o", folder, *form)
    if done.status == 0:
        return [folder]
    assert done.status == 4, done.stderr
    several = re.search(r"a virtual gateway must be chosen, there are (.*)", done.stderr)
    if not several:
        return []
    folders = {name: folder / name for name in several.group(1).split(", ")}
    for name, one in folders.items():
        assert export(program, mesh, "--gateway", name, "-o", one, *form).status == 0, name
    return list(folders.values())


class Validator:
    """Asks Envoy whether it takes an export, each different one once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.verdicts: dict[str, str] = {}
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=any"]
        self.certificate, self.key = folder / "any.pem", folder / "any.key"
        command += ["-keyout", str(self.key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)

    def here(self, exported: Path) -> str:
        """The configuration, with this machine's files in place of the mesh's."""

        def moved(value: Any) -> Any:  # noqa: ANN401
            if isinstance(value, list):
                return [moved(one) for one in value]
            if not isinstance(value, dict):
                return value
            out = {key: moved(one) for key, one in value.items()}
            if "private_key" in out:
                out["private_key"] = {"filename": str(self.key)}
            for name in ("certificate_chain", "trusted_ca"):
                if name in out:
                    out[name] = {"filename": str(self.certificate)}
            if str(out.get("@type", "")).endswith("FileAccessLog"):
                out["path"] = "/dev/null"
            return out

        for secret in exported.glob("sds/*.json"):
            secret.write_text(json.dumps(moved(json.loads(secret.read_text()))))
        return json.dumps(moved(json.loads((exported / "envoy.json").read_text())))

    def complaint(self, exported: Path) -> str:
        """Empty: Envoy takes it, and has no warning either."""
        text = self.here(exported)
        same = text.replace(str(exported), "")
        if same not in self.verdicts:
            file = exported / "here.json"
            file.write_text(text)
            command = [envoy.binary(), "--mode", "validate", "--log-level", "warn", "-c", file]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            warned = "[warning]" in done.stderr
            self.verdicts[same] = done.stderr if done.returncode or warned else ""
        return self.verdicts[same]


@pytest.mark.parametrize("form", [(), ("--single-hop",)], ids=["two-hops", "single-hop"])
def test_envoy_takes_the_gateways_of_all_scenarios(
    program: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    validator = Validator(tmp_path)

    def complaints(job: tuple[int, tuple[str, Path]]) -> list[tuple[str, str]]:
        number, (name, mesh) = job
        folders = export_all(program, mesh, tmp_path / f"out-{number}", *form)
        return [(name, validator.complaint(folder)) for folder in folders]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = enumerate(meshes(tmp_path))
        answers = [answer for answers in pool.map(complaints, jobs) for answer in answers]

    refused = {name: text for name, text in answers if text}
    assert list(refused) == list(REFUSED_BY_ENVOY), refused
    for name, words in REFUSED_BY_ENVOY.items():
        assert words in refused[name]
    assert len(answers) > 400
    assert len(validator.verdicts) > (75 if form else 150)


def test_what_is_left_to_do_is_said_and_written(program: Path, tmp_path: Path) -> None:
    scenario = ROOT / "scenarios/tls/acm-renews.scenario.yaml"
    done = export(program, scenario, "-o", tmp_path / "out")
    assert done.status == 0, done.stderr
    notes = (tmp_path / "out/notes.txt").read_text().splitlines()
    assert any("must hold certificate and key of ACM's arn:" in note for note in notes)
    for note in notes:
        assert f"meshproof: note: {note}" in done.stderr


def test_one_hop_says_what_is_otherwise(program: Path, tmp_path: Path) -> None:
    scenario = ROOT / "scenarios/pool/one-by-one.scenario.yaml"
    done = export(program, scenario, "-o", tmp_path / "out", "--single-hop")
    assert done.status == 0, done.stderr
    resources = json.loads((tmp_path / "out/envoy.json").read_text())["static_resources"]
    assert [listener["name"] for listener in resources["listeners"]] == ["lds_ingress_0.0.0.0_9080"]
    assert not any("self_redirect" in cluster["name"] for cluster in resources["clusters"])
    assert "note: the connection pool of the listener on port 9080 limits nothing" in done.stderr


def test_services_are_where_the_command_line_says(
    program: Path, smallest: Path, tmp_path: Path
) -> None:
    mesh = ROOT / "tests/live/mesh.yaml"
    service = ["--service", "web=127.0.0.1:9"]
    done = export(program, mesh, "--gateway", "http", "-o", tmp_path, *service)
    assert done.status == 0, done.stderr
    clusters = json.loads((tmp_path / "envoy.json").read_text())["static_resources"]["clusters"]
    [web] = [cluster for cluster in clusters if "_web_" in cluster["name"]]
    assert web["type"] == "STATIC"
    [endpoint] = web["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert endpoint["endpoint"]["address"]["socket_address"]["port_value"] == 9

    done = export(program, smallest, "-o", tmp_path, "--service", "mars=127.0.0.1:9")
    assert done.status == 4
    assert "no cluster is 'mars'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gateway", "moon", "-o", "out"], "there is no virtual gateway moon in mesh"),
        (["-o", "/proc/nothing"], "/proc/nothing: cannot make this folder: "),
        ([], "--output is required"),
    ],
    ids=["gateway", "folder", "no-folder"],
)
def test_bad_usage(program: Path, smallest: Path, arguments: list[str], message: str) -> None:
    done = export(program, smallest, *arguments)
    assert done.status == 4
    assert message in done.stderr
    assert done.stdout == ""
