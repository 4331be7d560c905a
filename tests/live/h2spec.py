"""What h2spec finds at an HTTP/2 server, case by case.

`python -m live.h2spec` (within tests/) writes what it finds at a real Envoy: h2spec-envoy.txt.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import ROOT
from live import calls, envoy, mesh, nodes
from live.processes import Address
from meshproof import find_program

PROGRAM = ROOT / "build" / "tools" / "h2spec"
EXPECTED = Path(__file__).with_name("h2spec-envoy.txt")

# Many cases only wait, each on its own connection: at the same time they cost little.
AT_A_TIME = 24

# An answer must not overtake what a case still sends.
PATH = "/slow/"


def cases() -> dict[str, str]:
    """What each case does, by names like "http2/5.1/8"."""
    groups = {"Generic": "generic", "Hypertext": "http2", "HPACK:": "hpack"}
    found: dict[str, str] = {}
    group = section = ""
    listed = subprocess.run([PROGRAM, "--dryrun"], capture_output=True, text=True, check=True)
    for line in filter(None, map(str.strip, listed.stdout.splitlines())):
        number, _, title = line.partition(" ")
        if number in groups:
            group = groups[number]
        elif number.endswith("."):
            section = number.rstrip(".")
        else:
            found[f"{group}/{section}/{number.rstrip(':')}"] = title
    return found


def judge(case: str, address: Address) -> str:
    where = ["-h", address.host, "-p", str(address.port), "-P", PATH]
    done = subprocess.run(
        [PROGRAM, case, *where],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    counts = re.search(r"^1 tests, (\d) passed, (\d) skipped, (\d) failed$", done.stdout, re.M)
    assert counts, f"h2spec {case}: {done.stdout}{done.stderr}"
    return ("passed", "skipped", "failed")[counts.groups().index("1")]


def judge_all(address: Address) -> list[str]:
    """A line for each case: its verdict, its name, what it does."""
    known = cases()
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        verdicts = threads.map(lambda case: judge(case, address), known)
        return [
            f"{verdict:8} {case:17} {title}"
            for verdict, (case, title) in zip(verdicts, known.items(), strict=True)
        ]


def main() -> None:
    program = find_program(None, ROOT)
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder)
        (inner / "nodes").mkdir()
        with (
            nodes.serve(inner / "nodes", calls.Calls()) as served,
            envoy.start_gateways(program, inner, mesh.gateways(), served) as gateways,
        ):
            EXPECTED.write_text("\n".join(judge_all(gateways.address("http2"))) + "\n")


if __name__ == "__main__":
    main()
