#pragma once

#include <string>
#include <string_view>

namespace proxy {

/// Normalises the path of a request target in place, as both hops do before they match: escaped
/// unreserved characters are decoded, dot segments resolved, backslashes turned, slashes merged.
/// The query is left alone. False: it cannot be normalised, and the request is refused.
///
/// Source: ENV-HTTP-12 to -14, RT-13.
bool normalize_path(std::string& target);

/// The part of a target before its query.
inline std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace proxy
