#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/model.h"
#include "world/result.h"

/// What `meshproof explain` says: which routes take a request, and why.
namespace conformance {

/// The request in question. The URL's host names the gateway if the mesh has a gateway of that
/// name, and its port the listener if the gateway has one there; Host is what the URL says, port
/// and all, unless a header "host" says otherwise. As in scenarios.
struct ExplainRequest {
  std::string method = "GET";
  std::string url;  ///< "http://host[:port][/path][?query]".
  std::vector<std::pair<std::string, std::string>> headers;
};

/// "GET http://edge/chapter/1"; without a method: GET. Errors: no such request.
world::Result<ExplainRequest> parse_explain_request(std::string_view written);

/// What became of one route.
enum class RouteFate : std::uint8_t {
  Wins,         ///< Takes the request.
  Loses,        ///< Matches too, and stands behind the winner.
  Fails,        ///< Is considered and does not match.
  NotReached,   ///< Matches but for its host pattern, which is less specific than another's.
  OtherHost,    ///< Does not take the request's host.
  OtherPort,    ///< Is for another listener.
  NotExpanded,  ///< Not in the proxy at all, such as a tcp route.
};
/// "wins", "loses", "fails", "not-reached", "other-host", "other-port", "not-expanded".
std::string_view text(RouteFate fate);

/// One gateway route, or one route of a router.
struct RouteStory {
  std::string resource;  ///< "gatewayRoute chapters".
  world::Place place;
  std::string match;  ///< "prefix /chapter, header x-env = beta".
  int priority = 0;   ///< 1000 where none is given.
  bool default_priority = false;
  RouteFate fate = RouteFate::Fails;
  std::string reason;               ///< In plain words. Empty: nothing to add.
  std::vector<std::string> failed;  ///< Every criterion that does not hold, in order.
  bool path_matches = false;
};

/// Where the winner sends the request.
struct TargetStory {
  std::uint32_t weight = 0;
  std::uint32_t total = 0;  ///< Of all weights.
  std::string node;
  world::Place place;
  std::string cluster;
  std::string endpoints;  ///< "dns books.local:8080, one address at a time".
  /// Not defined in the mesh: a scenario puts it there.
  bool made_up = false;
};

/// The gateway's own answer instead of a route.
struct RefusalStory {
  std::uint16_t status = 0;
  std::string flags;    ///< As in the access log: "NR"; "-" for none.
  std::string details;  ///< Response code details: "route_not_found".
  std::string reason;   ///< In plain words.
};

/// What one hop does with the request.
struct HopStory {
  std::string name;  ///< "ingress" or "egress".
  std::uint16_t port = 0;
  std::string given_target;    ///< As it arrived.
  std::string target;          ///< Normalised: what is matched.
  std::string authority;       ///< What the virtual host is chosen by.
  std::string virtual_host;    ///< Empty: none.
  std::string virtual_reason;  ///< Why that one.
  std::optional<RefusalStory> refusal;
  std::vector<RouteStory> routes;  ///< In the order of trying, then those that are not tried.

  bool routed = true;  ///< False: a virtual node is the provider, so there is nothing to choose.

  // Of the winner.
  std::string matched;        ///< "prefix /chapter/", the entry that holds.
  std::string why;            ///< Why it wins.
  std::string target_after;   ///< Path and query that are sent on.
  std::string target_reason;  ///< "prefix /chapter/ becomes /".
  std::string authority_after;
  std::string authority_reason;
  std::string timeout;  ///< "15s, the default".
  std::string retry;    ///< "none in this hop".
  std::vector<TargetStory> targets;

  const RouteStory* winner() const;
};

struct Explanation {
  std::string method;
  std::string url;
  std::string gateway;
  world::Place gateway_place;
  std::vector<std::string> notes;  ///< About the request as a whole.
  HopStory ingress;
  /// The virtual service that the gateway route names; empty if none was reached.
  std::string service;
  world::Place service_place;  ///< Of its definition, else of where it is named.
  std::string provider;        ///< "virtualRouter books"; empty: none.
  bool service_defined = true;
  std::optional<HopStory> egress;  ///< Absent where the first hop answers itself.
};

/// The gateway of that name; without one, the one that `host` names, else the only one. Errors:
/// there is no such gateway; none, or several, to choose from.
world::Result<const mesh::VirtualGateway*> choose_gateway(const mesh::Mesh& mesh,
                                                          std::string_view wanted,
                                                          std::string_view host);

/// Explains by asking the gateway's own parts: its parser, compiled plan and matching decide;
/// only the words are made here. Virtual services that are named and not defined are completed as
/// scenarios complete them.
///
/// `gateway` may be empty: the one that the URL's host names, else the only one.
/// Requires: the mesh was validated. Errors: no such gateway; no gateway, or several, to choose
/// from; a URL or header that cannot be sent.
/// Source: AM-GWR-01 to -15, AM-ORD-01 to -08, AM-REW-01 to -11, AM-TMO-02, CD-05 to -08.
world::Result<Explanation> explain(const mesh::Mesh& mesh, std::string_view gateway,
                                   const ExplainRequest& request);

/// For a terminal: aligned, about 20 lines, ends with a line end. Bytes of the input are as they
/// are; who prints them makes them printable.
std::string explanation_text(const Explanation& explanation);

/// Everything, routes that do not match among it.
nlohmann::ordered_json explanation_json(const Explanation& explanation);

}  // namespace conformance
