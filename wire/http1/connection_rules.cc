#include "wire/http1/connection_rules.h"

#include <algorithm>
#include <string>
#include <vector>

#include "wire/http1/chars.h"

namespace wire::http1 {
namespace {

constexpr std::size_t kMostNominated = 9;
constexpr std::size_t kTeTooLong = 256;

/// Calls `use` with each token between commas, trimmed. Nothing between commas is no token.
template <class Use>
void for_each_token(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) use(trim(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

bool is_one_of(std::string_view token, std::initializer_list<std::string_view> list) {
  return std::any_of(list.begin(), list.end(), [token](std::string_view other) {
    return equals_ignoring_case(token, other);
  });
}

/// Keeps the tokens of Connection for which `keep` holds; no header stands where none is left.
template <class Keep>
void filter_connection(HeaderMap& headers, Keep keep) {
  std::string kept;
  bool first = true;
  for_each_token(headers.get(HeaderName::Connection), [&](std::string_view token) {
    if (!keep(token)) return;
    if (!first) kept += ',';
    first = false;
    kept += token;
  });
  if (kept.empty()) {
    headers.remove(HeaderName::Connection);
  } else {
    headers.set(HeaderName::Connection, kept);
  }
}

}  // namespace

bool has_token(std::string_view list, std::string_view token) {
  bool found = false;
  for_each_token(
      list, [&](std::string_view other) { found = found || equals_ignoring_case(other, token); });
  return found;
}

bool is_upgrade(const HeaderMap& headers) {
  const std::size_t connection = headers.find(HeaderName::Connection);
  return connection != HeaderMap::npos && headers.has(HeaderName::Upgrade) &&
         has_token(headers.value(connection), "upgrade");
}

bool wants_close(bool http_1_0, const HeaderMap& headers) {
  const std::string_view connection = headers.get(HeaderName::Connection);
  if (http_1_0 ? !has_token(connection, "keep-alive") : has_token(connection, "close")) return true;
  return has_token(headers.get(HeaderName::ProxyConnection), "close");
}

void forget_h2c(HeaderMap& headers) {
  headers.remove(HeaderName::Upgrade);
  filter_connection(headers, [](std::string_view token) {
    return !is_one_of(token, {"upgrade", "http2-settings"});
  });
  headers.remove(HeaderName::Http2Settings);
}

bool remove_nominated(HeaderMap& headers) {
  const std::size_t connection = headers.find(HeaderName::Connection);
  if (connection == HeaderMap::npos) return true;
  std::vector<std::string> removed;
  std::size_t tokens = 0;
  bool other = false;  // than what is dealt with elsewhere
  for_each_token(headers.value(connection), [&](std::string_view token) {
    ++tokens;
    other = other || !is_one_of(token, {"close", "http2-settings", "keep-alive", "upgrade"});
  });
  if (tokens > kMostNominated) return false;
  if (!other) return true;

  bool allowed = true;
  const std::string list(headers.value(connection));
  for_each_token(list, [&](std::string_view token) {
    if (!allowed || is_one_of(token, {"close", "http2-settings", "keep-alive", "upgrade"})) return;
    std::string name(token);
    std::transform(name.begin(), name.end(), name.begin(), lower);
    if (is_one_of(name, {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}) ||
        name.starts_with(':')) {
      allowed = false;
      return;
    }
    if (name == "te" && headers.has(HeaderName::Te)) {
      const std::string_view te = headers.get(HeaderName::Te);
      if (te.size() >= kTeTooLong) {
        allowed = false;
        return;
      }
      if (has_token(te, "trailers")) {
        headers.set(HeaderName::Te, "trailers");
        return;
      }
    }
    // A Connection that names itself stays, without that name.
    if (name != "connection") headers.remove(std::string_view(name));
    removed.push_back(std::move(name));
  });
  if (!allowed) return false;
  if (removed.empty()) return true;
  filter_connection(headers, [&removed](std::string_view token) {
    return std::none_of(removed.begin(), removed.end(), [token](const std::string& name) {
      return equals_ignoring_case(token, name);
    });
  });
  return true;
}

}  // namespace wire::http1
