#include "tools/record_files.h"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace tools {
namespace {

using nlohmann::json;

using Kind = json::value_t;
using Members = std::vector<std::pair<const char*, Kind>>;

/// What a record of that area must have, beside its id and area. Source: the vocabulary of the
/// observations, parts 2 and 3.
const Members& members_of(const std::string& area) {
  static const Members kHttp = {
      {"/config", Kind::object},
      {"/config/virtualGateway", Kind::object},
      {"/config/virtualGateway/virtualGatewayName", Kind::string},
      {"/config/virtualGateway/spec", Kind::object},
      {"/config/virtualNodes", Kind::array},
      {"/upstream_script", Kind::object},
      {"/stimulus", Kind::object},
      {"/stimulus/proto", Kind::string},
      {"/stimulus/steps", Kind::array},
      {"/observed", Kind::object},
  };
  static const Members kPool = {
      {"/config", Kind::object},
      {"/config/portMapping", Kind::object},
      {"/config/portMapping/protocol", Kind::string},
      {"/stimulus", Kind::array},
      {"/observed", Kind::object},
      {"/observed/timeline", Kind::array},
  };
  static const Members kActions = {{"/actions", Kind::array}, {"/observed", Kind::object}};
  if (area == "pool") return kPool;
  return area == "hc" || area == "life" || area == "tls" ? kActions : kHttp;
}

/// What keeps a value from being a recorded case; empty if nothing does.
std::string problem_of(const json& record) {
  if (!record.is_object()) return "must be a JSON object";
  const auto missing = [&record](const Members& members) -> std::string {
    for (const auto& [pointer, kind] : members) {
      const json::json_pointer at(pointer);
      if (!record.contains(at) || record.at(at).type() != kind) {
        return std::string("must have ") + pointer + ", as " + json(kind).type_name();
      }
    }
    return {};
  };
  std::string problem = missing({{"/id", Kind::string}, {"/area", Kind::string}});
  return problem.empty() ? missing(members_of(record["area"])) : problem;
}

}  // namespace

world::Result<std::vector<Record>, world::Errors> read_records(
    const std::vector<std::string>& files) {
  std::vector<Record> records;
  world::Errors errors;
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    std::string line;
    std::uint32_t number = 0;
    // A folder can be opened, and fails at the first read.
    if (!file || (file.peek(), file.bad())) {
      const std::error_code why(errno, std::generic_category());
      errors.push_back({{}, "cannot be read: " + why.message(), {.file = name}});
      continue;
    }
    while (std::getline(file, line)) {
      ++number;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const world::Place place{.file = name, .line = number, .column = 1};
      try {
        json value = json::parse(line);
        if (std::string problem = problem_of(value); !problem.empty()) {
          errors.push_back({{}, std::move(problem), place});
        } else {
          records.push_back({std::move(value), place});
        }
      } catch (const json::parse_error& error) {
        errors.push_back({{}, std::string("is not JSON: ") + error.what(), place});
      }
    }
  }
  if (!errors.empty()) return errors;
  return records;
}

}  // namespace tools
