#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/balancer_setup.h"
#include "conformance/matcher.h"
#include "conformance/protos.h"
#include "wire/websocket.h"
#include "world/result.h"
#include "world/time.h"

namespace conformance {

/// What `expect` may say. Everything here has its place in the file and the words that stand there.

struct HeaderExpectation {
  std::string name;  ///< Lower case.
  TextExpectation value;
};

/// One message of gRPC.
struct MessageExpectation {
  TextExpectation text;
  /// If not null: it means what `bytes` mean as a message of that type.
  std::shared_ptr<const Protos> protos;
  std::string type;
  std::string bytes;
  std::optional<DurationExpectation> at;  ///< From the start of the world.
  std::string written;
  world::Place place;
};

/// One frame of a WebSocket.
struct FrameExpectation {
  wire::WebSocketOpcode opcode = wire::WebSocketOpcode::Text;
  std::optional<TextExpectation> bytes;   ///< Of Close: its reason.
  std::optional<NumberExpectation> code;  ///< Of Close.
  std::optional<DurationExpectation> at;  ///< From the start of the world.
  std::string written;
  world::Place place;
};

/// `tls` of a request, or of what a service saw of it.
struct TlsExpectation {
  bool none = false;  ///< There is no TLS.
  std::optional<TextExpectation> version, alpn, cipher;
  std::optional<TextExpectation> server_name;  ///< Of a service's connection alone.
  std::optional<TextExpectation> client_certificate, server_certificate;
  std::optional<bool> resumed;
  std::optional<TextExpectation> failed, refused_by, reason;
  world::Place place;
};

/// `expect: { service: ... }`: what a service saw of a request.
struct ServiceExpectation {
  bool none = false;  ///< No service saw it.
  std::optional<TextExpectation> name, node, endpoint, method, path, host, body, protocol;
  std::vector<HeaderExpectation> headers, trailers;
  std::optional<std::vector<MessageExpectation>> messages;
  std::optional<std::vector<FrameExpectation>> frames;
  std::optional<TlsExpectation> tls;
  std::optional<NumberExpectation> count;  ///< How often it was seen.
  std::vector<TextExpectation> paths;      ///< Of each time it was seen, in order.
  bool has_paths = false;
  world::Place place;
};

/// One line of an access log: a text with placeholders, or the members of a JSON object.
struct LineExpectation {
  TextExpectation text;
  bool is_json = false;
  std::vector<std::pair<std::string, TextExpectation>> json;
  std::string written;
  world::Place place;
};

/// `expect: { closed: ... }`: when the gateway ended the connection.
struct ClosedExpectation {
  bool closed = true;
  std::optional<DurationExpectation> after;  ///< From the last byte of the answer.
  std::optional<DurationExpectation> at;     ///< From the start of the world.
  world::Place place;
};

/// What one request, or one exchange of raw bytes, must have come to.
struct RequestExpectation {
  std::optional<NumberExpectation> status;
  std::optional<TextExpectation> body;
  std::vector<HeaderExpectation> headers;
  std::optional<TextExpectation> flags;   ///< Of the first hop, "-" for none.
  std::optional<TextExpectation> route;   ///< The gateway route that was taken.
  std::optional<TextExpectation> failed;  ///< Why there is no answer; no tests: for any reason.
  std::optional<TextExpectation>
      details;  ///< The first hop's own, of what did not go as it should.
  std::optional<TlsExpectation> tls;
  std::optional<ServiceExpectation> service;
  std::optional<std::vector<LineExpectation>> log;
  std::optional<DurationExpectation> answered_at;
  std::optional<DurationExpectation> took;
  std::optional<DurationExpectation> ended_at;  ///< Of a WebSocket: its connection.
  std::optional<TextExpectation> protocol;      ///< Of the answer: "HTTP/2".
  std::vector<HeaderExpectation> trailers;
  std::optional<NumberExpectation> grpc_status;
  std::optional<TextExpectation> grpc_message;
  std::optional<std::vector<MessageExpectation>> messages;
  std::optional<std::vector<FrameExpectation>> frames;
  // Of raw bytes alone.
  std::optional<TextExpectation> answer;  ///< All bytes that came back.
  std::vector<NumberExpectation> answers;
  bool has_answers = false;
  std::optional<ClosedExpectation> closed;
  world::Place place;
};

/// What a group of requests must have come to, in numbers.
struct GroupExpectation {
  std::vector<std::pair<int, NumberExpectation>> statuses;
  std::optional<NumberExpectation> answered, failed, waiting, overloaded;
  std::optional<bool> answered_in_order;
  world::Place in_order_place;
  /// By name: how many requests were served by it.
  std::vector<std::pair<std::string, NumberExpectation>> services, endpoints, gateways, flags;
  std::optional<RequestExpectation> each;
  world::Place place;
};

/// What can be counted, and where.
enum class EntityKind : std::uint8_t { Gateway, Service, Endpoint, Client, Balancer };

/// One number of one thing in the world: `gateway/edge.activeConnections`.
struct Observable {
  EntityKind kind = EntityKind::Gateway;
  std::string name;
  std::string field;
  std::string text() const;
};

struct CountExpectation {
  Observable what;
  NumberExpectation number;
};

/// `expect: { endpoint/books-1: { turns: unhealthy, ... } }`: that its health changes.
struct TurnExpectation {
  EntityKind kind = EntityKind::Endpoint;
  std::string name;
  bool healthy = false;  ///< What it turns.
  /// When, from the step's begin. Absent: as long as the scenario may last.
  std::optional<DurationExpectation> within;
  /// How many of its checks, since the step began, until each that checks it was of that opinion.
  std::optional<NumberExpectation> failed_checks, passed_checks;
  world::Place place;

  std::string text() const;  ///< "endpoint/books-1"
  std::string_view word() const { return healthy ? "healthy" : "unhealthy"; }
};

/// `expect: { log: ... }` outside of a request: what a gateway's log file holds so far.
struct LogExpectation {
  std::string gateway;  ///< A gateway or an instance; empty: the only gateway.
  std::string path;     ///< Empty: as the gateway's resource says.
  std::optional<NumberExpectation> count;
  std::optional<std::vector<LineExpectation>> lines;  ///< All there are.
  std::optional<std::vector<LineExpectation>> last;   ///< Those at the end.
  world::Place place;
};

/// `expect: { refused: ... }`: the mesh is not accepted, for these reasons.
struct RefusedExpectation {
  struct Reason {
    std::optional<TextExpectation> pointer;
    std::optional<TextExpectation> says;
    std::string written;
    world::Place place;
  };
  std::vector<Reason> reasons;  ///< None: the mesh is accepted.
  world::Place place;
};

/// All of one `expect`.
struct Expectation {
  std::optional<RequestExpectation> request;  ///< Of the step's own request.
  std::optional<GroupExpectation> group;      ///< Of the step's own requests.
  std::vector<std::pair<std::string, RequestExpectation>> named_requests;
  std::vector<std::pair<std::string, GroupExpectation>> named_groups;
  std::vector<CountExpectation> counts;
  std::vector<TurnExpectation> turns;
  std::vector<LogExpectation> logs;
  std::vector<BalancerExpectation> balancers;
};

/// One line of `always`.
struct Invariant {
  enum class Kind : std::uint8_t { AnsweredOnce, Compare };
  enum class Comparison : std::uint8_t { Less, AtMost, Equal, Unequal, AtLeast, More };
  Kind kind = Kind::Compare;
  Observable left;
  Comparison comparison = Comparison::AtMost;
  std::optional<Observable> right;  ///< Absent: `number`.
  std::int64_t number = 0;
  std::string written;
  world::Place place;
};

}  // namespace conformance
