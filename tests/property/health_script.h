#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace property {

/// What a check is made with.
enum class CheckKind : std::uint8_t { Http, Http2, Grpc, Tcp };

/// All times in microseconds.
struct HealthSetting {
  CheckKind kind = CheckKind::Http;
  std::uint32_t hosts = 1;
  std::uint32_t healthy_threshold = 1;
  std::uint32_t unhealthy_threshold = 1;
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t no_traffic_interval = 0;
  std::optional<std::int64_t> unhealthy_interval;
  std::optional<std::int64_t> unhealthy_edge_interval;
  std::optional<std::int64_t> healthy_edge_interval;
  bool reuse_connection = true;
  bool wide_statuses = false;  ///< 200 to 399 are expected rather than 200 alone.
  bool retriable_503 = false;
  std::uint32_t panic_percent = 50;
  std::int64_t merge_window = 1'000'000;

  std::string text() const;
};

/// What an endpoint does with one probe.
struct ProbeAnswer {
  enum class Kind : std::uint8_t {
    Status,        ///< An answer with that status; of gRPC: that it serves.
    StatusAndEnd,  ///< The same, and it wants no more on this connection.
    NotServing,    ///< gRPC: an answer that says so.
    GrpcError,     ///< gRPC: an answer with a status of its own.
    NoMessage,     ///< gRPC: a good status without a message.
    Nothing,
    HalfBody,  ///< HTTP/1: its length is never reached.
    Garbage,   ///< HTTP/1: what comes is no HTTP.
    Fin,
    Reset,
    ResetStream,  ///< HTTP/2 and gRPC.
    Refuse,       ///< The connection is refused; an open one is reset.
    Silence,      ///< The connection is never made; on an open one nothing comes.
  };
  Kind kind = Kind::Status;
  std::uint16_t status = 200;
  std::int64_t delay = 0;

  std::string text() const;
};

/// A world's life: what each endpoint answers, in turn, and when requests come. When all answers
/// are used up they begin again.
struct HealthScript {
  HealthSetting setting;
  struct Item {
    enum class Kind : std::uint8_t { Answer, Request };
    Kind kind = Kind::Answer;
    std::uint32_t host = 0;
    ProbeAnswer answer{};
    std::int64_t at = 0;  ///< Of a request, since the first probes.
  };
  std::vector<Item> items;
  std::int64_t length = 0;  ///< Since the first probes.

  std::vector<ProbeAnswer> answers(std::uint32_t host) const;
  std::vector<std::int64_t> requests() const;  ///< In order of time.
  std::string text() const;
};

/// How long a packet takes between the gateway and an endpoint, or a client. No two are alike.
inline std::int64_t latency_of(std::uint32_t host) {
  return 1000 + 130 * std::int64_t{host};
}
inline constexpr std::int64_t kClientLatency = 1001;

inline constexpr std::uint32_t kMostHosts = 4;

/// What is to be seen of the checks at an instant.
struct HealthSeen {
  std::array<bool, kMostHosts> healthy{};
  std::array<bool, kMostHosts> used{};  ///< By traffic, unless there is panic.
  /// Attempts, successes, failures, network failures, panics.
  std::array<std::uint64_t, 5> counts{};

  bool operator==(const HealthSeen&) const = default;
  std::string text() const;
};

HealthScript make_health_script(std::uint64_t seed);

}  // namespace property
