#pragma once

#include <string_view>

namespace wire::http1 {

/// Whether the method is one of those that HTTP/1 clients may use. Source: ENV-HTTP-74.
bool is_method(std::string_view method);

/// Whether the characters and the form of a request target are right, as the parser sees it.
/// Source: ENV-HTTP-13, -14, -18.
bool is_target(std::string_view target, bool connect);

/// An absolute target, or what CONNECT asks for, taken apart.
struct AbsoluteTarget {
  std::string_view scheme;
  std::string_view authority;  ///< Without user information.
  std::string_view path;       ///< Path and query as sent, "/" for none; empty for CONNECT.
};
/// False for what is not one. Requires: is_target(). Source: ENV-HTTP-18.
bool split_absolute(std::string_view target, bool connect, AbsoluteTarget& parts);

/// Whether a Host or :authority has only characters that the real proxy takes.
/// Source: ENV-HTTP-23.
bool is_authority(std::string_view authority);

}  // namespace wire::http1
