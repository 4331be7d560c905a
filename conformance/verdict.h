#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "world/result.h"
#include "world/time.h"
#include "world/trace.h"

namespace conformance {

/// How a run of one scenario ended.
enum class Outcome : std::uint8_t {
  Passed,
  Failed,   ///< An expectation or invariant was broken.
  Error,    ///< The harness could not judge: a bad file, a stuck world.
  Skipped,  ///< This target cannot show it; `reason` says why.
  Known,    ///< It failed, as this target is known to; `reason` says why.
};

/// One line of the timeline shown with a failure.
struct TimelineEntry {
  enum class Kind : std::uint8_t {
    Event,
    Change,  ///< Of the state of a pool, a health, a balancer's target.
    Breach,  ///< An expectation was broken.
  };

  world::TimePoint at{};
  std::string who;
  std::string what;       ///< Kind and text, one line, printable.
  std::string request{};  ///< Id of the request that it belongs to; empty: none, or not known.
  Kind kind = Kind::Event;
};

/// A part of a run's events, with the changes of pools, health and balancers among them.
struct Excerpt {
  std::vector<TimelineEntry> before;  ///< What things were when it begins: `at` is since when.
  std::vector<TimelineEntry> events;
  std::uint64_t left_out = 0;  ///< Events beyond what is kept.
};

/// One judged expectation.
struct Check {
  world::TimePoint at{};
  std::string name;  ///< What was looked at, e.g. "steps/2 status".
  bool passed = false;
  std::string expected;  ///< As the file says it.
  std::string actual;    ///< What was seen.
  world::Place place{};  ///< Of the expectation in the scenario file.
};

/// One request as everyone saw it.
struct ObservedRequest {
  std::string id;  ///< "client/1", or the step's `as` and a number.
  std::string client;
  world::TimePoint sent_at{};
  std::optional<world::TimePoint> answered_at;
  std::string method, url;
  std::optional<int> status;
  std::vector<std::pair<std::string, std::string>> response_headers;
  std::string response_body;   ///< At most 4 KiB of it.
  std::string failure;         ///< Why there is no answer; empty if there is one.
  std::string response_flags;  ///< From the first hop's access log, e.g. "NR"; empty if unknown.
  std::string protocol;        ///< In which it was asked: "HTTP/1.1" or "HTTP/2".
  std::vector<std::pair<std::string, std::string>> response_trailers;
  /// One message of gRPC.
  struct Message {
    world::TimePoint at{};
    std::string bytes;
  };
  struct Grpc {
    std::optional<std::uint32_t> status;
    std::string message;
    std::vector<Message> messages;
  };
  std::optional<Grpc> grpc;  ///< Of a call.
  /// One frame of a WebSocket.
  struct Frame {
    world::TimePoint at{};
    std::string kind;  ///< "text", "binary", "ping", "pong", "close".
    std::string bytes;
    std::uint16_t code = 0;  ///< Of a close.
  };
  std::vector<Frame> frames;
  /// What became of TLS between a client and a gateway, or a gateway and a service.
  struct Tls {
    std::string version;  ///< "1.3"; empty: the handshake was not completed.
    std::string alpn, cipher;
    std::string server_name;  ///< What was asked for, as SNI.
    bool resumed = false;
    std::string server_certificate;  ///< The entry of the pki that the client was shown.
    std::string client_certificate;  ///< The one that the server was shown; empty: none.
    /// The alert that one of them sent: "certificate_expired"; without one "closed", "reset", or
    /// "no TLS", which is what came in answer.
    std::string failed;
    std::string refused_by;  ///< Of `failed`: "client" or "gateway".
    std::string reason;      ///< Of `failed`: as the gateway logs it, if it knows.
  };
  std::optional<Tls> tls;                    ///< Absent: in plain text, or there was no connection.
  std::optional<world::TimePoint> ended_at;  ///< Of a WebSocket: its connection.
  /// What each service that was reached saw.
  struct Seen {
    world::TimePoint at{};
    std::string service, endpoint, method, path, host;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string protocol{};  ///< "HTTP/1.1" or "HTTP/2".
    std::vector<std::pair<std::string, std::string>> trailers{};
    std::vector<std::string> messages{};  ///< Of gRPC.
    std::vector<Frame> frames{};          ///< That came on its WebSocket.
    std::optional<Tls> tls{};             ///< As the service has it; absent: in plain text.
  };
  std::vector<Seen> seen;
};

/// One run of one scenario, in one variant.
struct RunResult {
  std::string id;      ///< "routing/prefix-is-bytes", with "[maxConnections=2]" for variants.
  std::string title;   ///< The scenario's sentence.
  std::string file;    ///< As given on the command line.
  std::string digest;  ///< Of the file's bytes, 32 hexadecimal digits.
  std::vector<std::string> clauses;
  std::map<std::string, std::string> variant;
  std::string era;
  Outcome outcome = Outcome::Passed;
  std::string reason;    ///< Of Skipped, Known and Error.
  world::Errors errors;  ///< Of Error: all that is wrong with the file.
  std::uint64_t seed = 0;
  world::Duration simulated{};  ///< How much virtual time passed.
  std::uint64_t events = 0;
  std::string trace_hash;
  std::vector<Check> checks;
  /// Expectations of times that were not judged, as the world is a real one.
  std::uint64_t unjudged_times = 0;
  std::vector<TimelineEntry> timeline;  ///< Of failures: the last events before the first breach.
  Excerpt excerpt{};                    ///< What was asked for with RunOptions::window.
  std::vector<ObservedRequest> requests;
  nlohmann::ordered_json series;  ///< Observations over time, by name; may be null.
  std::string replay;             ///< The command that repeats exactly this run.
};

/// Everything one invocation of `meshproof run` produced.
struct Report {
  std::string version;
  std::uint64_t seed = 0;
  std::string target = "sim";
  std::vector<RunResult> runs;  ///< In order of id.
};

}  // namespace conformance
