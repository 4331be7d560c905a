"""The gRPC node: the grpcio package's server, with health checks and reflection.

Messages are bytes as they are, so that no generated code is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue
from threading import Event

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from live.processes import LOOPBACK, PATIENCE_SECONDS, Address

SERVICE = "live.Calls"
DOWN = "live.Down"
DETAILS = "the details: é, 100 %, done"


def echo(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Sends back the message, and the metadata that begin with own-: first and last."""
    given = [(key, value) for key, value in context.invocation_metadata() if key.startswith("own-")]
    context.send_initial_metadata(given)
    context.set_trailing_metadata((*given, ("own-last", "1"), ("own-last-bin", b"\x00\xff")))
    return request


def count(request: bytes, _: grpc.ServicerContext) -> Iterator[bytes]:
    """As many messages as asked for: their numbers."""
    for number in range(int(request)):
        yield b"%d" % number


def add(requests: Iterator[bytes], _: grpc.ServicerContext) -> bytes:
    return b"%d" % sum(int(request) for request in requests)


def converse(requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
    for request in requests:
        yield b"re: " + request


def fail(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Ends with the status whose number is asked for."""
    code = next(code for code in grpc.StatusCode if code.value[0] == int(request))
    context.set_trailing_metadata((("x-why-bin", bytes(range(256))),))
    context.abort(code, DETAILS)


class Calls(grpc.GenericRpcHandler):
    def __init__(self) -> None:
        # A call that waits says so, and how it ended.
        self.waiting: Queue[str] = Queue()
        self.ended: Queue[str] = Queue()
        self._methods = {
            "Echo": grpc.unary_unary_rpc_method_handler(echo),
            "Count": grpc.unary_stream_rpc_method_handler(count),
            "Add": grpc.stream_unary_rpc_method_handler(add),
            "Converse": grpc.stream_stream_rpc_method_handler(converse),
            "Fail": grpc.unary_unary_rpc_method_handler(fail),
            "Wait": grpc.unary_unary_rpc_method_handler(self._wait),
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        service, _, method = details.method.strip("/").partition("/")
        return self._methods.get(method) if service == SERVICE else None

    def _wait(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Answers when the caller has gone."""
        gone = Event()
        name = request.decode()
        context.add_callback(gone.set)
        self.waiting.put(name)
        gone.wait(PATIENCE_SECONDS)
        self.ended.put(name)
        return b""


@contextmanager
def serve(methods: Calls) -> Iterator[Address]:
    server = grpc.server(
        ThreadPoolExecutor(16), [methods], options=[("grpc.max_receive_message_length", -1)]
    )
    checks = health.HealthServicer()
    checks.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    checks.set(DOWN, health_pb2.HealthCheckResponse.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME), server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    try:
        yield Address(port)
    finally:
        server.stop(None).wait()
