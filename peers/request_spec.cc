#include "peers/request_spec.h"

#include <fmt/format.h>

namespace peers {

std::string RequestSpec::authority() const {
  if (port == (secure() ? 443 : 80)) return host;
  std::string text;
  text.reserve(host.size() + 6);
  return text.append(host).append(":").append(std::to_string(port));
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
  std::uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    std::uint32_t value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 3 && text[digits] >= '0' && text[digits] <= '9') {
      value = value * 10 + static_cast<std::uint32_t>(text[digits] - '0');
      ++digits;
    }
    if (digits == 0 || value > 255) return std::nullopt;
    text.remove_prefix(digits);
    address = address << 8 | value;
    if (part == 3) break;
    if (text.empty() || text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return address;
}

world::Result<RequestSpec> parse_url(std::string_view method, std::string_view url, bool with_tls) {
  const auto wrong = [&](std::string_view must) {
    return world::Error{{}, fmt::format("{}, is \"{}\"", must, url)};
  };
  RequestSpec spec;
  spec.method = method;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) {
    return wrong("URL must be like http://host/path");
  }
  spec.scheme = url.substr(0, colon);
  if (spec.scheme != "http" && !(with_tls && spec.secure())) {
    return wrong(with_tls ? "URL must begin with http:// or https://"
                          : "URL must begin with http://");
  }
  if (spec.secure()) spec.port = 443;
  std::string_view rest = url.substr(colon + 3);
  const std::size_t authority_end = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority.size());
  if (!rest.empty())
    spec.target = rest.front() == '/' ? std::string(rest) : "/" + std::string(rest);
  const std::size_t port_at = authority.find(':');
  spec.host = authority.substr(0, port_at);
  if (spec.host.empty()) return wrong("URL must name a host");
  if (port_at != std::string_view::npos) {
    const std::string_view digits = authority.substr(port_at + 1);
    std::uint32_t port = 0;
    bool valid = !digits.empty() && digits.size() <= 5;
    for (const char c : digits) {
      if (c < '0' || c > '9') valid = false;
      if (valid) port = port * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (!valid || port == 0 || port > 65535) {
      return wrong("port of a URL must be between 1 and 65535");
    }
    spec.port = static_cast<std::uint16_t>(port);
  }
  return spec;
}

PreparedRequest::PreparedRequest(RequestSpec request) : spec(std::move(request)) {
  is_head = spec.method == "HEAD";
  if (const HeaderLine* connection = find_header(spec.headers, "connection")) {
    wants_close = same_name(connection->value, "close");
  }
  if (spec.protocol == Protocol::Http2) {
    prepare_http2();
    return;
  }
  bytes.reserve(256);
  bytes.append(spec.method).append(" ").append(spec.target).append(" HTTP/1.1\r\n");
  if (!spec.omit_host && find_header(spec.headers, "host") == nullptr) {
    bytes.append("Host: ").append(spec.authority()).append("\r\n");
  }
  append_lines(bytes, spec.headers);
  const bool framed = find_header(spec.headers, "content-length") != nullptr ||
                      find_header(spec.headers, "transfer-encoding") != nullptr;
  if (spec.websocket != nullptr) {
    for (const HeaderLine& line :
         {HeaderLine{"Connection", "Upgrade"}, HeaderLine{"Upgrade", "websocket"},
          HeaderLine{"Sec-WebSocket-Version", "13"}}) {
      if (find_header(spec.headers, line.name) == nullptr) append_lines(bytes, {line});
    }
  }
  if (spec.await_continue && find_header(spec.headers, "expect") == nullptr) {
    bytes += "Expect: 100-continue\r\n";
  }
  if (!framed && !spec.chunks.empty()) {
    bytes += "Transfer-Encoding: chunked\r\n";
  } else if (!framed && spec.body) {
    bytes.append("Content-Length: ").append(std::to_string(spec.body->size())).append("\r\n");
  }
  bytes += "\r\n";
  head_bytes = bytes.size();
  if (!spec.chunks.empty()) {
    for (const std::string& chunk : spec.chunks) {
      if (!chunk.empty()) append_chunk(bytes, chunk);
    }
    bytes += "0\r\n\r\n";
  } else if (spec.body) {
    bytes += *spec.body;
  }
}

/// `bytes` is for the trace alone.
void PreparedRequest::prepare_http2() {
  const HeaderLine* const host = find_header(spec.headers, "host");
  http2.method = spec.method;
  http2.target = spec.target;
  http2.scheme = spec.scheme;
  if (host != nullptr || !spec.omit_host) {
    http2.headers.add(wire::HeaderName::Host, host != nullptr ? host->value : spec.authority());
  }
  for (const HeaderLine& line : spec.headers) {
    if (!same_name(line.name, "host")) http2.headers.add(line.name, line.value);
  }
  if (spec.await_continue && find_header(spec.headers, "expect") == nullptr) {
    http2.headers.add("expect", "100-continue");
  }
  if (spec.body && spec.pieces.empty() && spec.chunks.empty() && spec.trailers.empty() &&
      find_header(spec.headers, "content-length") == nullptr) {
    http2.headers.add("content-length", std::to_string(spec.body->size()));
  }
  bytes.append(spec.method).append(" ").append(spec.target).append(" HTTP/2\r\n");
  for (std::size_t i = 0; i < http2.headers.size(); ++i) {
    bytes.append(http2.headers.name(i)).append(": ").append(http2.headers.value(i)).append("\r\n");
  }
  bytes += "\r\n";
  head_bytes = bytes.size();
}

}  // namespace peers
