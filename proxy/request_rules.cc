#include "proxy/request_rules.h"

#include <algorithm>
#include <array>

#include "wire/http1/connection_rules.h"

namespace proxy {
namespace {

using wire::HeaderMap;
using wire::HeaderName;

// Controls of the real proxy that only its own kind may set (ENV-HTTP-44).
constexpr std::array<std::string_view, 17> kEnvoyControls = {
    "x-envoy-decorator-operation",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

/// Whether a list of codings has "trailers" as it is, without a weight.
bool names_trailers(std::string_view codings) {
  while (true) {
    const std::size_t comma = codings.find(',');
    std::string_view coding = codings.substr(0, comma);
    while (!coding.empty() && (coding.front() == ' ' || coding.front() == '\t')) {
      coding.remove_prefix(1);
    }
    while (!coding.empty() && (coding.back() == ' ' || coding.back() == '\t')) {
      coding.remove_suffix(1);
    }
    if (coding == "trailers") return true;
    if (comma == std::string_view::npos) return false;
    codings.remove_prefix(comma + 1);
  }
}

/// Whether a header is about this connection alone. An upgrade keeps what asks for it.
bool is_hop_by_hop(HeaderName name, bool upgrade) {
  switch (name) {
    case HeaderName::Connection:
    case HeaderName::Upgrade:
      return !upgrade;
    case HeaderName::KeepAlive:
    case HeaderName::ProxyConnection:
    case HeaderName::TransferEncoding:
      return true;
    default:
      return false;
  }
}

template <class F>
void remove_where(HeaderMap& headers, F&& unwanted) {
  for (std::size_t i = 0; i < headers.size();) {
    if (unwanted(i)) {
      headers.remove_at(i);
    } else {
      ++i;
    }
  }
}

}  // namespace

RequestVerdict check_request_head(const wire::http1::RequestHead& head) {
  RequestVerdict verdict;
  const HeaderMap& headers = head.headers;
  verdict.closes = wire::http1::wants_close(false, headers);
  verdict.expects_continue = equals_ignoring_case(headers.get(HeaderName::Expect), "100-continue");
  if (!headers.has(HeaderName::Host)) {
    verdict.status = 400;
    verdict.details = "missing_host_header";
  } else if (head.method != "CONNECT" && head.target.front() != '/') {
    verdict.status = 404;
    verdict.details = "absolute_path_rejected";
  } else if (head.method == "QUERY" && headers.get(HeaderName::ContentType).empty()) {
    verdict.status = 400;
    verdict.details = "query_missing_content_type";
  }
  return verdict;
}

void remove_connection_headers(HeaderMap& headers, bool upgrade) {
  remove_where(headers, [&](std::size_t i) {
    switch (headers.known(i)) {
      case HeaderName::EnvoyExpectedTimeout:
        return true;
      case HeaderName::Te:
        // The one coding that is spoken stays, alone; so does a value that names none.
        if (headers.value(i).empty()) return false;
        if (!names_trailers(headers.value(i))) return true;
        headers.set_value(i, "trailers");
        return false;
      case HeaderName::Other: {
        const std::string_view name = headers.name(i);
        return name.substr(0, 8) == "x-envoy-"
                   ? std::binary_search(kEnvoyControls.begin(), kEnvoyControls.end(), name)
                   : name == "x-forwarded-client-cert";
      }
      default:
        return is_hop_by_hop(headers.known(i), upgrade);
    }
  });
}

void remove_response_headers(HeaderMap& headers, bool upgrade) {
  remove_where(headers, [&](std::size_t i) { return is_hop_by_hop(headers.known(i), upgrade); });
}

bool asks_for_websocket(const HeaderMap& headers) {
  return equals_ignoring_case(headers.get(HeaderName::Upgrade), "websocket");
}

bool is_undecided_uuid(std::string_view id) {
  constexpr std::size_t kUuidSize = 36;
  if (id.size() != kUuidSize) return false;
  // The real proxy reads a number from the first eight digits to draw the decision from.
  if (id.substr(0, 8).find_first_not_of("0123456789abcdefABCDEF") != id.npos) return false;
  const char decision = id[kTraceDecisionAt];
  return decision != '9' && decision != 'a' && decision != 'b';
}

bool may_have_body(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "DELETE" && method != "TRACE" &&
         method != "CONNECT";
}

}  // namespace proxy
