#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::api {

/// A request's target, taken apart and percent-decoded.
struct Uri {
  std::vector<std::string> segments;         ///< Of the path; "/a//b" has an empty one.
  std::map<std::string, std::string> query;  ///< Of a name given twice the first counts.
};

/// Absent: an escape is none, or what it stands for is not UTF-8.
std::optional<Uri> parse_uri(std::string_view target);

/// Absent: an escape is none, or what comes out is not UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

/// Letters, digits and -._~ as they are, all other bytes as %XX. Source: RFC 3986 section 2.3.
std::string percent_encode(std::string_view text);

}  // namespace mesh::api
