#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "conformance/recorded/placeholders.h"

namespace conformance::recorded {

/// A format of access-log lines that hold both what the records have: the line in the default
/// format, and the same request as fields.
std::string log_format();

/// Turns the lines that log_format() makes into the form of the records.
class LogLines {
 public:
  struct Names {
    std::map<std::string, std::string> addresses;  ///< "10.0.0.3:8080": "<UPSTREAM:u1>".
    std::map<std::string, std::string> clusters;   ///< The plan's names: the records' names.
  };

  LogLines(const Placeholders& placeholders, Names names)
      : placeholders_(placeholders), names_(std::move(names)) {}

  /// `{"default": [...], "json": [...]}` of a whole file.
  nlohmann::json read(std::string_view file) const;

 private:
  std::string default_line(std::string_view line) const;
  nlohmann::json field(std::string_view name, const std::string& value) const;

  const Placeholders& placeholders_;
  Names names_;
};

}  // namespace conformance::recorded
