#include "peers/http2_parts.h"

namespace peers {

wire::http2::Session::Options peer_session_options() {
  wire::http2::Session::Options options;
  options.limits = {.max_head_bytes = 1024 * 1024, .max_headers = 10'000};
  return options;
}

HeaderLines lines_of(const wire::HeaderMap& headers) {
  HeaderLines lines;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    lines.push_back({std::string(headers.name(i)), std::string(headers.value(i))});
  }
  return lines;
}

wire::HeaderMap header_map(const HeaderLines& lines) {
  wire::HeaderMap headers;
  for (const HeaderLine& line : lines) headers.add(line.name, line.value);
  return headers;
}

std::string head_text(std::uint16_t status, const wire::HeaderMap& headers) {
  std::string text = "HTTP/2 " + std::to_string(status) + "\r\n";
  append_lines(text, lines_of(headers));
  return text += "\r\n";
}

std::string code_text(wire::http2::ErrorCode code) {
  const std::string_view name = wire::http2::name_of(code);
  return name.empty() ? std::to_string(static_cast<std::uint32_t>(code)) : std::string(name);
}

}  // namespace peers
