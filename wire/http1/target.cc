#include "wire/http1/target.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>

#include "wire/http1/chars.h"

namespace wire::http1 {
namespace {

constexpr std::string_view kMethods[] = {
    "ACL",       "BIND",      "CHECKOUT", "CONNECT", "COPY",       "DELETE",     "GET",
    "HEAD",      "LINK",      "LOCK",     "MERGE",   "MKACTIVITY", "MKCALENDAR", "MKCOL",
    "MOVE",      "MSEARCH",   "NOTIFY",   "OPTIONS", "PATCH",      "POST",       "PROPFIND",
    "PROPPATCH", "PURGE",     "PUT",      "QUERY",   "REBIND",     "REPORT",     "SEARCH",
    "SOURCE",    "SUBSCRIBE", "TRACE",    "UNBIND",  "UNLINK",     "UNLOCK",     "UNSUBSCRIBE"};

static_assert(std::is_sorted(std::begin(kMethods), std::end(kMethods)));

// What a character may be part of.
constexpr unsigned char kPath = 1;       // path and query of a target
constexpr unsigned char kHost = 2;       // what stands before them in an absolute target
constexpr unsigned char kAuthority = 4;  // a Host header
constexpr unsigned char kUserInfo = 8;

constexpr std::array<unsigned char, 256> kClasses = [] {
  std::array<unsigned char, 256> classes{};
  const auto mark = [&classes](std::string_view characters, unsigned char what) {
    for (const char c : characters) {
      auto& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<unsigned char>(entry | what);
    }
  };
  for (int c = '!'; c <= '~'; ++c) classes[static_cast<std::size_t>(c)] = kPath;
  mark("\t\f", kPath);
  for (int c = 0; c < 128; ++c) {
    const auto letter = static_cast<char>(c);
    if (is_alpha(letter) || is_digit(letter)) {
      mark({&letter, 1}, kHost | kAuthority | kUserInfo);
    }
  }
  mark("!$%&'()*+,-.:;=@[]_~", kHost | kAuthority);
  mark("-_.!~*'()%;:&=+$,", kUserInfo);
  return classes;
}();

bool all_of_class(std::string_view text, unsigned char what) {
  for (const char c : text) {
    if ((kClasses[static_cast<unsigned char>(c)] & what) == 0) return false;
  }
  return true;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '-';
  });
}

/// What stands between brackets: an address, with or without a zone.
bool is_ip_literal(std::string_view text) {
  const std::size_t percent = text.find('%');
  const std::string_view zone = percent == std::string_view::npos ? "0" : text.substr(percent + 1);
  if (zone.empty()) return false;
  const std::string address(text.substr(0, percent));
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1 ||
         (percent == std::string_view::npos &&
          ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1);
}

/// Port digits: at least one, at most 65535.
bool is_port(std::string_view digits) {
  if (digits.empty()) return false;
  unsigned port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) return false;
  }
  return true;
}

}  // namespace

bool is_method(std::string_view method) {
  if (method == "GET" || method == "POST") return true;
  return std::binary_search(std::begin(kMethods), std::end(kMethods), method);
}

bool is_target(std::string_view target, bool connect) {
  if (target.empty()) return false;
  if (target[0] == '/' || target[0] == '*') return all_of_class(target, kPath);
  if (!connect) {
    if (!is_alpha(target[0])) return false;
    std::size_t scheme = 1;
    while (scheme < target.size() &&
           (is_alpha(target[scheme]) || is_digit(target[scheme]) || target[scheme] == '+' ||
            target[scheme] == '-' || target[scheme] == '.')) {
      ++scheme;
    }
    if (target.substr(scheme, 3) != "://") return false;
    target.remove_prefix(scheme + 3);
  }
  const std::size_t host_size = std::min(target.find_first_of("/?"), target.size());
  const std::string_view host = target.substr(0, host_size);
  return all_of_class(host, kHost) && host.find("@@") == std::string_view::npos &&
         all_of_class(target.substr(host_size), kPath);
}

bool split_absolute(std::string_view target, bool connect, AbsoluteTarget& parts) {
  parts = {};
  if (target[0] == '/' || target[0] == '*') return false;
  if (!connect) {
    const std::size_t colon = target.find(':');
    parts.scheme = target.substr(0, colon);
    target.remove_prefix(colon + 3);
  }
  const std::size_t authority_size = std::min(target.find_first_of("/?"), target.size());
  parts.authority = target.substr(0, authority_size);
  parts.path = target.substr(authority_size);
  if (!connect && parts.path.empty()) parts.path = "/";

  const std::size_t at = parts.authority.find('@');
  if (at != std::string_view::npos) {
    if (connect || !all_of_class(parts.authority.substr(0, at), kUserInfo)) return false;
    parts.authority.remove_prefix(at + 1);
  }
  std::string_view rest = parts.authority;
  if (rest.starts_with('[')) {
    const std::size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos || !is_ip_literal(rest.substr(1, bracket - 1))) {
      return false;
    }
    rest.remove_prefix(bracket + 1);
  } else {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (!is_host_name(rest.substr(0, colon))) return false;
    rest.remove_prefix(colon);
  }
  const bool has_port = rest.starts_with(':') && is_port(rest.substr(1));
  if (connect) return has_port && parts.path.empty();
  return rest.empty() || has_port;
}

bool is_authority(std::string_view authority) {
  return all_of_class(authority, kAuthority);
}

}  // namespace wire::http1
