"""The grpcio package on both sides of the gateway."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from live.calls import DETAILS, DOWN, SERVICE, Calls
from live.nodes import content
from live.serving import Serving

MEBIBYTE = 1024 * 1024
MESSAGES = 10_000

# Far more than any call needs, and less than the route's 15 s.
SECONDS = 14


@pytest.fixture(scope="module")
def channel(gateway: Serving) -> Iterator[grpc.Channel]:
    options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(str(gateway.address("grpc")), options=options) as channel:
        yield channel


def path(method: str) -> str:
    return f"/{SERVICE}/{method}"


def ended_with(call: grpc.Future) -> grpc.RpcError:
    error = call.exception(SECONDS)
    assert isinstance(error, grpc.RpcError)
    return error


@pytest.mark.parametrize("size", [0, 1, 16384 - 5, 16384 - 4, 65535, MEBIBYTE, 16 * MEBIBYTE])
def test_a_message_comes_back(channel: grpc.Channel, size: int) -> None:
    assert channel.unary_unary(path("Echo"))(content(size), timeout=SECONDS) == content(size)


def test_metadata_pass_first_and_last_both_ways(channel: grpc.Channel) -> None:
    given = [("own", "no"), ("own-a", "one"), ("own-a", "two"), ("own-empty", "")]
    given.append(("own-bin", bytes(range(256))))
    answer, call = channel.unary_unary(path("Echo")).with_call(b"", SECONDS, given)
    assert answer == b""
    first = [(key, value) for key, value in call.initial_metadata() if key.startswith("own")]
    assert sorted(first) == sorted(given[1:])
    last = [(key, value) for key, value in call.trailing_metadata() if key.startswith("own")]
    assert sorted(last) == sorted([*given[1:], ("own-last", "1"), ("own-last-bin", b"\x00\xff")])
    # What the gateway adds comes first, not last.
    assert "x-envoy-upstream-service-time" in dict(call.initial_metadata())


def test_a_stream_of_the_service(channel: grpc.Channel) -> None:
    answers = channel.unary_stream(path("Count"))(b"%d" % MESSAGES, timeout=SECONDS)
    assert [int(answer) for answer in answers] == list(range(MESSAGES))
    assert answers.code() is grpc.StatusCode.OK


def test_a_stream_of_the_client(channel: grpc.Channel) -> None:
    messages = (b"%d" % number for number in range(MESSAGES))
    assert int(channel.stream_unary(path("Add"))(messages, timeout=SECONDS)) == sum(range(MESSAGES))


def test_streams_of_both_at_the_same_time(channel: grpc.Channel) -> None:
    messages = (b"%d" % number for number in range(MESSAGES))
    answers = channel.stream_stream(path("Converse"))(messages, timeout=SECONDS)
    assert list(answers) == [b"re: %d" % number for number in range(MESSAGES)]


def test_each_answer_comes_before_the_next_question(channel: grpc.Channel) -> None:
    """Nothing is kept back: each side waits for the other."""
    turn = threading.Semaphore(1)

    def questions() -> Iterator[bytes]:
        for number in range(500):
            assert turn.acquire(timeout=SECONDS)
            yield b"%d" % number

    answers = channel.stream_stream(path("Converse"))(questions(), timeout=SECONDS)
    for number, answer in enumerate(answers):
        assert answer == b"re: %d" % number
        turn.release()
    assert number == 499


CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_an_error_arrives_with_its_details(channel: grpc.Channel, code: grpc.StatusCode) -> None:
    call = channel.unary_unary(path("Fail")).future(b"%d" % code.value[0], SECONDS)
    error = ended_with(call)
    assert (error.code(), error.details()) == (code, DETAILS)
    assert ("x-why-bin", bytes(range(256))) in error.trailing_metadata()


def test_a_deadline_ends_the_call_at_both_ends(
    channel: grpc.Channel, methods: Calls, gateway: Serving
) -> None:
    name = f"deadline at {gateway.target}"
    call = channel.unary_unary(path("Wait")).future(name.encode(), 0.3)
    assert ended_with(call).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert methods.waiting.get(timeout=SECONDS) == name
    assert methods.ended.get(timeout=SECONDS) == name


def test_a_cancelled_call_ends_at_the_service(
    channel: grpc.Channel, methods: Calls, gateway: Serving
) -> None:
    name = f"cancelled at {gateway.target}"
    call = channel.unary_unary(path("Wait")).future(name.encode(), SECONDS)
    assert methods.waiting.get(timeout=SECONDS) == name
    assert call.cancel()
    assert methods.ended.get(timeout=SECONDS) == name


def test_a_stream_is_cancelled_in_its_midst(channel: grpc.Channel) -> None:
    answers = channel.unary_stream(path("Count"))(b"100000000", timeout=SECONDS)
    for number in range(1000):
        assert int(next(answers)) == number
    answers.cancel()
    assert answers.code() is grpc.StatusCode.CANCELLED
    assert channel.unary_unary(path("Echo"))(b"after", timeout=SECONDS) == b"after"


def test_many_calls_at_once_on_one_connection(channel: grpc.Channel) -> None:
    echo = channel.unary_unary(path("Echo"))
    calls = [echo.future(b"%d" % number, SECONDS) for number in range(1000)]
    assert [int(call.result(SECONDS)) for call in calls] == list(range(1000))


def test_health_is_checked_and_watched(channel: grpc.Channel) -> None:
    checks = health_pb2_grpc.HealthStub(channel)
    for name, status in (("", 1), (SERVICE, 1), (DOWN, 2)):
        asked = health_pb2.HealthCheckRequest(service=name)
        assert checks.Check(asked, timeout=SECONDS).status == status
    asked = health_pb2.HealthCheckRequest(service="nobody")
    error = ended_with(checks.Check.future(asked, timeout=SECONDS))
    assert error.code() is grpc.StatusCode.NOT_FOUND

    watch = checks.Watch(health_pb2.HealthCheckRequest(service=DOWN), timeout=SECONDS)
    assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health"),
    ]
    listed, file = stub.ServerReflectionInfo(iter(asked), timeout=SECONDS)
    names = [service.name for service in listed.list_services_response.service]
    assert names == ["grpc.health.v1.Health", SERVICE]
    assert b"HealthCheckRequest" in file.file_descriptor_response.file_descriptor_proto[0]


def test_a_service_without_route_is_unimplemented(channel: grpc.Channel) -> None:
    error = ended_with(channel.unary_unary("/live.Nobody/Echo").future(b"", SECONDS))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNIMPLEMENTED, "")
