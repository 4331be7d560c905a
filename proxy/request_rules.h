#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http1/message.h"

namespace proxy {

/// What the connection manager thinks of a request head before it routes it.
struct RequestVerdict {
  std::uint16_t status = 0;  ///< Refused with this status and an empty body; 0: not refused.
  std::string_view details{};
  bool closes = false;            ///< The client wants the connection closed after the answer.
  bool expects_continue = false;  ///< `Expect: 100-continue`.
};

/// Judges a head that the codec accepted. Source: ENV-HTTP-18, -22, -45, -71.
RequestVerdict check_request_head(const wire::http1::RequestHead& head);

/// Removes what must not travel on: hop-by-hop headers and the client's Envoy controls. An upgrade
/// keeps Connection and Upgrade. Source: ENV-HTTP-44, -45, -90.
void remove_connection_headers(wire::HeaderMap& headers, bool upgrade);

/// The same for a response. Source: ENV-HTTP-51.
void remove_response_headers(wire::HeaderMap& headers, bool upgrade);

/// Whether Upgrade names websocket and nothing else. Source: ENV-HTTP-90, -91.
bool asks_for_websocket(const wire::HeaderMap& headers);

/// Where a request id carries the trace decision.
inline constexpr std::size_t kTraceDecisionAt = 14;
/// Whether a request id is a UUID without a trace decision. Source: ENV-HTTP-42.
bool is_undecided_uuid(std::string_view id);

/// Whether a request of that method without body must say so by `content-length: 0`.
bool may_have_body(std::string_view method);

}  // namespace proxy
