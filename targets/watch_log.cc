#include "targets/watch_log.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

#include <nlohmann/json.hpp>

#include "peers/request_spec.h"

namespace targets {
namespace {

using conformance::GatewayReport;
using nlohmann::json;

std::optional<GatewayReport> report_of(const std::string& line) {
  const json from = json::parse(line, nullptr, false);
  if (!from.is_object()) return std::nullopt;
  const auto text = [&from](const char* name) {
    const auto found = from.find(name);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  GatewayReport out;
  const std::string kind = text("kind");
  using Kind = GatewayReport::Kind;
  if (kind == "DownstreamStart") {
    out.kind = Kind::Begin;
  } else if (kind != "DownstreamEnd") {
    out.kind = Kind::Connection;
  }
  out.client = endpoint_of(text("client"));
  out.gateway = endpoint_of(text("gateway"));
  out.request_id = text("id");
  out.route = text("route");
  out.flags = text("flags").empty() ? "-" : text("flags");
  out.details = text("details") == "via_upstream" ? "" : text("details");
  out.subject = text("subject");
  out.tls_failure = text("tls");
  return out;
}

}  // namespace

world::Endpoint endpoint_of(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto address = peers::parse_address(text.substr(0, colon));
  if (!address || colon == text.size()) return {};
  world::Endpoint out{*address, 0};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), out.port);
  return out;
}

std::vector<GatewayReport> WatchLog::read() {
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at_));
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  at_ += bytes.size();
  rest_ += bytes;
  std::vector<GatewayReport> reports;
  std::size_t begin = 0;
  for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (auto report = report_of(rest_.substr(begin, end - begin))) {
      reports.push_back(std::move(*report));
    }
  }
  rest_.erase(0, begin);
  return reports;
}

}  // namespace targets
