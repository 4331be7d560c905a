#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/match.h"
#include "proxy/plan.h"

/// The words in which an explanation speaks of matches and policies. Nothing is decided here.
namespace conformance {

/// "prefix /chapter".
std::string path_words(const proxy::PathMatch& match);
/// "prefix /chapter, method POST, header x-env = \"beta\"".
std::string match_words(const proxy::Route& route);

/// Every criterion of a route that does not hold, in the gateway's order, each as "header x-env
/// must be \"beta\", is \"prod\"". Empty exactly if the route matches.
std::vector<std::string> failed_criteria(const proxy::Route& route,
                                         const proxy::RequestView& request);

/// "host must be y.example, is x.example", with what people overlook.
std::string host_failure(std::string_view pattern, std::string_view authority, std::uint16_t port);

/// Why `winner` stands before `loser` in one virtual host's order. Both match.
/// Source: AM-ORD-01 to -06, CD-07.
std::string order_words(const proxy::Route& winner, const proxy::Route& loser);

/// "2 at most, ...: on 503, connect failure".
std::string retry_words(const proxy::RetryPolicy& policy);

/// "DNS name books.local, port 8080, one address at a time".
std::string endpoint_words(const proxy::Cluster& cluster);

}  // namespace conformance
