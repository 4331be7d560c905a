#include "peers/echo.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace peers {
namespace {

using Json = nlohmann::ordered_json;

Json body_json(std::string_view body) {
  try {
    Json text(body);
    static_cast<void>(text.dump());  // refuses what is not UTF-8
    return text;
  } catch (const Json::exception&) {
    std::string hex;
    for (const char c : body) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return {{"hex", hex}};
  }
}

}  // namespace

std::string echo_body(std::string_view service, std::string_view endpoint,
                      const wire::http1::RequestHead& head, std::string_view body,
                      std::span<const HeaderLine> trailers) {
  Json headers = Json::array();
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    headers.push_back(Json::array({head.headers.name(i), head.headers.value(i)}));
  }
  Json echo;
  echo["service"] = service;
  echo["endpoint"] = endpoint;
  echo["method"] = head.method;
  echo["path"] = head.target;
  echo["host"] = head.headers.get(wire::HeaderName::Host);
  echo["headers"] = std::move(headers);
  echo["body"] = body_json(body);
  if (!trailers.empty()) {
    Json list = Json::array();
    for (const HeaderLine& line : trailers) list.push_back(Json::array({line.name, line.value}));
    echo["trailers"] = std::move(list);
  }
  return echo.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string compose_answer(const Answer& answer, std::string_view body, std::string_view body_type,
                           bool to_head) {
  if (answer.body) body = *answer.body;
  std::string out;
  out.reserve(256 + body.size());
  out.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  out += answer.reason.empty() ? reason_phrase(answer.status) : std::string_view(answer.reason);
  out += "\r\n";
  append_lines(out, answer.headers);
  const bool bodiless = answer.status < 200 || answer.status == 204 || answer.status == 304;
  const bool framed = find_header(answer.headers, "content-length") != nullptr ||
                      find_header(answer.headers, "transfer-encoding") != nullptr;
  if (!answer.body && answer.chunks.empty() && !bodiless &&
      find_header(answer.headers, "content-type") == nullptr) {
    out.append("content-type: ").append(body_type).append("\r\n");
  }
  if (!framed && !bodiless) {
    if (answer.chunks.empty()) {
      out.append("content-length: ").append(std::to_string(body.size())).append("\r\n");
    } else {
      out += "transfer-encoding: chunked\r\n";
    }
  }
  out += "\r\n";
  if (bodiless || to_head) return out;
  if (answer.chunks.empty()) return out.append(body);
  for (const std::string& chunk : answer.chunks) {
    if (!chunk.empty()) append_chunk(out, chunk);
  }
  return out += "0\r\n\r\n";
}

}  // namespace peers
