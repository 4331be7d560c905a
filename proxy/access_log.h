#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/origin.h"
#include "proxy/plan.h"
#include "wire/headers.h"
#include "world/result.h"
#include "world/world.h"

namespace proxy {

/// Why a request ended as it did, in the real proxy's letters. Source: Envoy's response flags as
/// measured in ENV-HTTP-60 to -79.
enum class ResponseFlag : std::uint16_t {
  NoRoute = 1 << 0,              ///< NR
  NoHealthyUpstream = 1 << 1,    ///< UH
  UpstreamFailure = 1 << 2,      ///< UF: connecting failed
  UpstreamClosed = 1 << 3,       ///< UC: the connection ended before the answer
  UpstreamOverflow = 1 << 4,     ///< UO
  UpstreamProtocol = 1 << 5,     ///< UPE
  UpstreamReset = 1 << 6,        ///< UR
  UpstreamTimeout = 1 << 7,      ///< UT
  RetryLimit = 1 << 8,           ///< URX
  DownstreamClosed = 1 << 9,     ///< DC
  DownstreamProtocol = 1 << 10,  ///< DPE
  StreamIdle = 1 << 11,          ///< SI
  DurationTimeout = 1 << 12,     ///< DT
  NoCluster = 1 << 13,           ///< NC
  DownstreamReset = 1 << 14,     ///< DR: the client reset the stream
};

/// The flags as the access log shows them: "URX,UF", "-" for none.
std::string flags_text(std::uint16_t flags);

/// Everything that a line may say of one request.
struct LogEntry {
  world::CalendarTime started{};
  world::Duration duration{};
  std::string_view method, path, authority, protocol, scheme;
  const wire::HeaderMap* request = nullptr;   ///< May be absent: no head was read.
  const wire::HeaderMap* response = nullptr;  ///< Absent: nothing was sent.
  std::uint16_t status = 0;
  std::uint16_t flags = 0;
  std::string_view details, termination, transport_failure, route, cluster, host;
  std::uint64_t received = 0;  ///< Body bytes.
  std::uint64_t sent = 0;
  std::uint32_t attempts = 0;
  static constexpr int kNoGrpcStatus = -2;
  int grpc_status = kNoGrpcStatus;  ///< -1: one that is no number.
  world::Endpoint downstream_remote{}, downstream_local{};
  /// What a PROXY protocol header said of both ends; null: nothing.
  const wire::proxy_protocol::Ends* announced = nullptr;
  const wire::tls::Agreed* tls = nullptr;  ///< With the client; null: in plain text.
  std::string_view downstream_failure;     ///< Of the transport.
  /// What is known of the client's connection; null: nothing. It outlives the entry.
  void tell_origin(const Origin* origin);
  bool upstream_known = false;
  world::Endpoint upstream_local{};
};

/// An access-log format, compiled once.
///
/// Source: LG-01, AM-LOG-01, AM-LOG-02; the operators are Envoy's.
class LogFormat {
 public:
  /// Errors: an unknown operator, an operator that does not end.
  static world::Result<LogFormat> compile(const AccessLogPlan& plan);

  void append(std::string& out, const LogEntry& entry) const;

 private:
  enum class Operator : std::uint8_t;
  struct Item {
    Operator what{};
    std::string text;         // literal text, or the first name
    std::string alternative;  // REQ(X?Y): Y
    std::size_t limit = 0;    // 0: none
  };
  struct Member {
    std::string key;
    std::vector<Item> items;
  };

  static world::Result<std::vector<Item>> parse(std::string_view format);
  static bool append_value(std::string& out, const Item& item, const LogEntry& entry);
  static bool is_number(Operator what);

  std::vector<Item> items_;      // of a text
  std::vector<Member> members_;  // of a JSON object, by key
  bool json_ = false;
};

}  // namespace proxy
