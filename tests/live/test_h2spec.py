"""h2spec finds the same at our gateway as at a real Envoy."""

from __future__ import annotations

from live import h2spec
from live.serving import Serving


def test_h2spec_finds_what_it_finds_at_envoy(gateway: Serving) -> None:
    expected = h2spec.EXPECTED.read_text().splitlines()
    found = h2spec.judge_all(gateway.address("http2"))
    assert len(found) == 146
    assert [line for line in found if line not in expected] == []
    assert found == expected
