#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "conformance/explain.h"
#include "proxy/match.h"
#include "proxy/plan.h"
#include "wire/http1/message.h"

/// The way of a request through one hop, in the steps of the gateway's connection manager and with
/// its functions, without a connection.
namespace conformance {

/// A request at a hop. `host` and `route` are parts of the plan.
struct Visit {
  std::unique_ptr<wire::http1::RequestHead> head;
  std::string authority;
  const proxy::VirtualHost* host = nullptr;
  const proxy::Route* route = nullptr;

  proxy::RequestView view() const {
    const std::string_view scheme = head->scheme_or_http();
    return {head->method, head->target, authority, scheme, head->headers};
  }
};

/// Takes the request to where the routes are, in the steps of the gateway's connection manager.
/// Fills in what the story says of the request, and of a refusal. False: it was refused on the way.
/// Source: ENV-HTTP-12 to -14, -18, -22, -42, -44, -45.
bool arrive(std::string_view bytes, HopStory& story, Visit& visit);

/// What the winner makes of the request. Returns the bytes for the next hop.
/// Requires: `visit.route`. Source: ENV-HTTP-16, -17, -40, CD-05.
std::string send_on(HopStory& story, Visit& visit);

}  // namespace conformance
