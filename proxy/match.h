#pragma once

#include <string_view>

#include "proxy/plan.h"
#include "wire/headers.h"

namespace proxy {

/// What routing looks at. The path is normalised.
struct RequestView {
  std::string_view method;
  std::string_view target;  ///< Path and query.
  std::string_view authority;
  std::string_view scheme = "http";
  const wire::HeaderMap& headers;
};

/// The one virtual host for an authority, or nullptr: exact name, then longest "*.suffix", then
/// "*". Case does not count. Source: ENV-HTTP-20, -21, RT-10, RT-11.
const VirtualHost* find_host(const RouteTable& table, std::string_view authority);

/// Whether all criteria of a route hold. Source: ENV-HTTP-30 to -34, RT-02, RT-05 to RT-09.
bool matches(const Route& route, const RequestView& request);
bool matches(const PathMatch& match, std::string_view path);
bool matches(const HeaderMatch& match, const RequestView& request);
bool matches(const QueryMatch& match, std::string_view target);

/// The first route of the host that matches, or nullptr.
const Route* find_route(const VirtualHost& host, const RequestView& request);

/// The target after a route's rewrites of the path. Source: ENV-HTTP-16, -17, RW-02 to RW-07.
std::string rewritten_target(const Route& route, std::string_view target);

/// Whether a content type is gRPC's. Source: ENV-HTTP-100.
bool is_grpc_content_type(std::string_view value);

}  // namespace proxy
