#include "conformance/explain_visit.h"

#include "proxy/path.h"
#include "proxy/request_rules.h"
#include "wire/http1/parser.h"
#include "wire/http1/serializer.h"

namespace conformance {

using wire::HeaderName;
using wire::http1::RequestHead;

namespace {

/// Stands for the id that the gateway makes up.
constexpr std::string_view kRequestId = "00000000-0000-9000-8000-000000000000";

class HeadTaker final : public wire::http1::ParserEvents<RequestHead> {
 public:
  void on_head(RequestHead&) override { seen = true; }
  void on_body(std::string_view) override {}
  void on_complete() override {}
  bool seen = false;
};

}  // namespace

bool arrive(std::string_view bytes, HopStory& story, Visit& visit) {
  const auto refuse = [&story](std::uint16_t status, std::string_view flags,
                               std::string_view details, std::string_view reason) {
    story.refusal = {status, std::string(flags), std::string(details), std::string(reason)};
    return false;
  };
  wire::http1::RequestParser parser;
  HeadTaker taker;
  parser.feed(bytes, taker);
  if (!taker.seen) {
    const wire::http1::CodecError& error = parser.error();
    return refuse(error ? error.status : 400, "DPE", error ? error.details : "http1.codec_error",
                  "the bytes are no request that the gateway accepts");
  }
  visit.head = parser.take_head();
  RequestHead& head = *visit.head;
  visit.authority = head.headers.get(HeaderName::Host);
  story.authority = visit.authority;
  story.given_target = story.target = head.target;
  const proxy::RequestVerdict verdict = proxy::check_request_head(head);
  if (verdict.status != 0) {
    return refuse(verdict.status, "-", verdict.details, "refused before any route is looked at");
  }
  if (head.method == "CONNECT") {
    return refuse(404, "NR", "route_not_found", "CONNECT is given to no route");
  }
  if (!proxy::normalize_path(head.target)) {
    return refuse(400, "-", "path_normalization_failed",
                  "the path cannot be normalised: it has a #, or an escaped NUL");
  }
  story.target = head.target;
  // Matches see the headers as they travel on.
  proxy::remove_connection_headers(head.headers, head.upgrade);
  if (!head.headers.has(HeaderName::ForwardedProto)) {
    head.headers.add(HeaderName::ForwardedProto, "http");
  }
  if (!head.headers.has(HeaderName::RequestId)) {
    head.headers.add(HeaderName::RequestId, kRequestId);
  }
  return true;
}

std::string send_on(HopStory& story, Visit& visit) {
  const proxy::Route& route = *visit.route;
  wire::HeaderMap& headers = visit.head->headers;
  if (route.virtual_service_header) {
    headers.add(HeaderName::MeshVirtualService, *route.virtual_service_header);
  }
  story.target_after = proxy::rewritten_target(route, visit.head->target);
  story.authority_after = route.host_rewrite.value_or(visit.authority);
  if (route.host_rewrite) {
    if (!visit.authority.empty()) headers.set(HeaderName::EnvoyOriginalHost, visit.authority);
    headers.set(HeaderName::Host, *route.host_rewrite);
  }
  if (route.prefix_rewrite || route.path_rewrite) {
    headers.set(HeaderName::EnvoyOriginalPath, visit.head->target);
  }
  std::string bytes;
  wire::http1::append_request_head(bytes, visit.head->method, story.target_after, headers);
  return bytes;
}

}  // namespace conformance
