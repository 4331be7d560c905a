#include "wire/headers.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <functional>
#include <iterator>

namespace wire {
namespace {

/// Whose repeated lines are joined.
enum class Joined : std::uint8_t { No, Requests, Responses, Both };

struct KnownHeader {
  std::string_view text;
  HeaderName name = HeaderName::Other;
  Joined joined = Joined::No;
};

// The names of HeaderName in its order, then those that only have a slot.
constexpr KnownHeader kKnownHeaders[] = {
    {":method", HeaderName::PseudoMethod},
    {":path", HeaderName::PseudoPath},
    {":authority", HeaderName::PseudoAuthority},
    {":scheme", HeaderName::PseudoScheme},
    {":status", HeaderName::PseudoStatus},
    {"connection", HeaderName::Connection, Joined::Both},
    {"content-length", HeaderName::ContentLength, Joined::Both},
    {"expect", HeaderName::Expect, Joined::Requests},
    {"http2-settings", HeaderName::Http2Settings},
    {"keep-alive", HeaderName::KeepAlive, Joined::Both},
    {"proxy-connection", HeaderName::ProxyConnection, Joined::Both},
    {"te", HeaderName::Te, Joined::Requests},
    {"transfer-encoding", HeaderName::TransferEncoding, Joined::Both},
    {"upgrade", HeaderName::Upgrade, Joined::Both},
    {"content-type", HeaderName::ContentType, Joined::Both},
    {"cookie", HeaderName::Cookie},
    {"date", HeaderName::Date, Joined::Responses},
    {"grpc-message", HeaderName::GrpcMessage, Joined::Responses},
    {"grpc-status", HeaderName::GrpcStatus, Joined::Responses},
    {"grpc-timeout", HeaderName::GrpcTimeout, Joined::Requests},
    {"host", HeaderName::Host, Joined::Requests},
    {"server", HeaderName::Server, Joined::Responses},
    {"user-agent", HeaderName::UserAgent, Joined::Requests},
    {"x-forwarded-for", HeaderName::ForwardedFor, Joined::Requests},
    {"x-forwarded-proto", HeaderName::ForwardedProto, Joined::Requests},
    {"x-request-id", HeaderName::RequestId, Joined::Both},
    {"x-envoy-expected-rq-timeout-ms", HeaderName::EnvoyExpectedTimeout, Joined::Requests},
    {"x-envoy-original-host", HeaderName::EnvoyOriginalHost, Joined::Requests},
    {"x-envoy-original-path", HeaderName::EnvoyOriginalPath, Joined::Requests},
    {"x-envoy-upstream-service-time", HeaderName::EnvoyUpstreamServiceTime, Joined::Responses},
    {"x-envoy-overloaded", HeaderName::EnvoyOverloaded},
    {"x-envoy-ratelimited", HeaderName::EnvoyRateLimited, Joined::Responses},
    {"x-app-mesh-virtual-service", HeaderName::MeshVirtualService},
    {"accept", HeaderName::Other, Joined::Requests},
    {"accept-encoding", HeaderName::Other, Joined::Requests},
    {"access-control-allow-credentials", HeaderName::Other, Joined::Responses},
    {"access-control-allow-headers", HeaderName::Other, Joined::Responses},
    {"access-control-allow-methods", HeaderName::Other, Joined::Responses},
    {"access-control-allow-origin", HeaderName::Other, Joined::Responses},
    {"access-control-allow-private-network", HeaderName::Other, Joined::Responses},
    {"access-control-expose-headers", HeaderName::Other, Joined::Responses},
    {"access-control-max-age", HeaderName::Other, Joined::Responses},
    {"access-control-request-headers", HeaderName::Other, Joined::Requests},
    {"access-control-request-method", HeaderName::Other, Joined::Requests},
    {"access-control-request-private-network", HeaderName::Other, Joined::Requests},
    {"age", HeaderName::Other, Joined::Responses},
    {"authorization", HeaderName::Other, Joined::Requests},
    {"cache-control", HeaderName::Other, Joined::Both},
    {"content-encoding", HeaderName::Other, Joined::Both},
    {"etag", HeaderName::Other, Joined::Responses},
    {"expires", HeaderName::Other, Joined::Responses},
    {"grpc-accept-encoding", HeaderName::Other, Joined::Requests},
    {"if-match", HeaderName::Other, Joined::Requests},
    {"if-modified-since", HeaderName::Other, Joined::Requests},
    {"if-none-match", HeaderName::Other, Joined::Requests},
    {"if-range", HeaderName::Other, Joined::Requests},
    {"if-unmodified-since", HeaderName::Other, Joined::Requests},
    {"last-modified", HeaderName::Other, Joined::Responses},
    {"location", HeaderName::Other, Joined::Responses},
    {"origin", HeaderName::Other, Joined::Requests},
    {"pragma", HeaderName::Other, Joined::Requests},
    {"proxy-status", HeaderName::Other, Joined::Both},
    {"referer", HeaderName::Other, Joined::Requests},
    {"vary", HeaderName::Other, Joined::Responses},
    {"via", HeaderName::Other, Joined::Both},
    {"x-client-trace-id", HeaderName::Other, Joined::Requests},
    {"x-envoy-attempt-count", HeaderName::Other, Joined::Both},
    {"x-envoy-decorator-operation", HeaderName::Other, Joined::Both},
    {"x-envoy-degraded", HeaderName::Other, Joined::Responses},
    {"x-envoy-downstream-service-cluster", HeaderName::Other, Joined::Requests},
    {"x-envoy-downstream-service-node", HeaderName::Other, Joined::Requests},
    {"x-envoy-external-address", HeaderName::Other, Joined::Requests},
    {"x-envoy-force-trace", HeaderName::Other, Joined::Requests},
    {"x-envoy-hedge-on-per-try-timeout", HeaderName::Other, Joined::Requests},
    {"x-envoy-immediate-health-check-fail", HeaderName::Other, Joined::Responses},
    {"x-envoy-internal", HeaderName::Other, Joined::Requests},
    {"x-envoy-ip-tags", HeaderName::Other, Joined::Requests},
    {"x-envoy-is-timeout-retry", HeaderName::Other, Joined::Requests},
    {"x-envoy-max-retries", HeaderName::Other, Joined::Requests},
    {"x-envoy-original-url", HeaderName::Other, Joined::Requests},
    {"x-envoy-retriable-header-names", HeaderName::Other, Joined::Requests},
    {"x-envoy-retriable-status-codes", HeaderName::Other, Joined::Requests},
    {"x-envoy-retry-grpc-on", HeaderName::Other, Joined::Requests},
    {"x-envoy-retry-on", HeaderName::Other, Joined::Requests},
    {"x-envoy-upstream-alt-stat-name", HeaderName::Other, Joined::Requests},
    {"x-envoy-upstream-canary", HeaderName::Other, Joined::Responses},
    {"x-envoy-upstream-healthchecked-cluster", HeaderName::Other, Joined::Responses},
    {"x-envoy-upstream-rq-per-try-timeout-ms", HeaderName::Other, Joined::Requests},
    {"x-envoy-upstream-rq-timeout-alt-response", HeaderName::Other, Joined::Requests},
    {"x-envoy-upstream-rq-timeout-ms", HeaderName::Other, Joined::Requests},
    {"x-envoy-upstream-stream-duration-ms", HeaderName::Other, Joined::Requests},
    {"x-forwarded-client-cert", HeaderName::Other, Joined::Requests},
    {"x-forwarded-host", HeaderName::Other, Joined::Requests},
    {"x-forwarded-port", HeaderName::Other, Joined::Requests},
};
constexpr std::size_t kKnownCount = std::size(kKnownHeaders);

constexpr bool order_matches_enum() {
  for (std::size_t i = 0; i < static_cast<std::size_t>(HeaderName::MeshVirtualService); ++i) {
    if (kKnownHeaders[i].name != static_cast<HeaderName>(i + 1)) return false;
  }
  return true;
}
static_assert(order_matches_enum(), "text_of() counts on it");

constexpr std::size_t kTableSize = 1024;

/// Cheap, and spreads the names well: few share their length and both letters.
constexpr std::size_t hash_of(std::string_view name) {
  const std::size_t size = name.size();
  const auto at = [name](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[i]));
  };
  return (size * 3 + at(size / 2) * 8 + at(size - 1) * 16) % kTableSize;
}

struct Slot {
  const char* text = nullptr;  ///< Of kKnownHeaders; null: nothing is here.
  std::uint8_t size = 0;
  HeaderTraits traits;
};

constexpr std::array<Slot, kTableSize> make_table() {
  std::array<Slot, kTableSize> table{};
  int requests = 0;
  int responses = 0;
  for (std::size_t i = 0; i < kKnownCount; ++i) {
    const KnownHeader& known = kKnownHeaders[i];
    std::size_t at = hash_of(known.text);
    while (table[at].text != nullptr) at = (at + 1) % kTableSize;
    table[at].text = known.text.data();
    table[at].size = static_cast<std::uint8_t>(known.text.size());
    table[at].traits.name = known.name;
    if (known.joined == Joined::Requests || known.joined == Joined::Both) {
      table[at].traits.request_slot = static_cast<std::int8_t>(requests++);
    }
    if (known.joined == Joined::Responses || known.joined == Joined::Both) {
      table[at].traits.response_slot = static_cast<std::int8_t>(responses++);
    }
  }
  return table;
}
constexpr std::array<Slot, kTableSize> kTable = make_table();

constexpr bool slots_fit() {
  return std::all_of(kTable.begin(), kTable.end(), [](const Slot& slot) {
    return slot.traits.request_slot < kMaxHeaderSlots &&
           slot.traits.response_slot < kMaxHeaderSlots;
  });
}
static_assert(slots_fit());

/// Names are short: a call to compare them costs more than the comparison.
bool same_bytes(const char* a, const char* b, std::size_t size) {
  const auto word = [](const char* at) {
    std::uint64_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
  };
  const auto half = [](const char* at) {
    std::uint32_t bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
  };
  if (size < 4) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  if (size < 8) return half(a) == half(b) && half(a + size - 4) == half(b + size - 4);
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    if (word(a + i) != word(b + i)) return false;
  }
  return word(a + size - 8) == word(b + size - 8);
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

const HeaderTraits& lookup_header_traits(std::string_view lower_case_name) {
  static constexpr HeaderTraits kNothing;
  const std::size_t size = lower_case_name.size();
  if (size == 0) return kNothing;
  for (std::size_t at = hash_of(lower_case_name); kTable[at].text != nullptr;
       at = (at + 1) % kTableSize) {
    const Slot& slot = kTable[at];
    if (slot.size == size && same_bytes(slot.text, lower_case_name.data(), size)) {
      return slot.traits;
    }
  }
  return kNothing;
}

HeaderName lookup_header(std::string_view lower_case_name) {
  return lookup_header_traits(lower_case_name).name;
}

std::string_view text_of(HeaderName name) {
  assert(name != HeaderName::Other);
  return kKnownHeaders[static_cast<std::size_t>(name) - 1].text;
}

std::size_t HeaderMap::text_bytes() const {
  std::size_t bytes = 0;
  for (const Field& field : fields_) bytes += field.name_size + field.value_size;
  return bytes;
}

std::size_t HeaderMap::find(HeaderName name, std::size_t from) const {
  assert(name != HeaderName::Other);
  for (std::size_t i = from; i < fields_.size(); ++i) {
    if (fields_[i].known == name) return i;
  }
  return npos;
}

std::size_t HeaderMap::find(std::string_view name, std::size_t from) const {
  for (std::size_t i = from; i < fields_.size(); ++i) {
    if (fields_[i].name_size == name.size() && this->name(i) == name) return i;
  }
  return npos;
}

std::uint32_t HeaderMap::append_text(std::string_view text) {
  const std::size_t at = text_.size();
  text_.append(text);
  return static_cast<std::uint32_t>(at);
}

void HeaderMap::add(std::string_view name, std::string_view value) {
  assert(!name.empty() && name.size() <= 0xffff);
  Field field;
  field.name_size = static_cast<std::uint16_t>(name.size());
  field.value_size = static_cast<std::uint32_t>(value.size());
  // The value may lie in the text that the first append moves.
  const std::less<const char*> before;
  const bool own =
      !before(value.data(), text_.data()) && before(value.data(), text_.data() + text_.size());
  const std::size_t own_at = own ? static_cast<std::size_t>(value.data() - text_.data()) : 0;
  field.name_at = append_text(name);
  char* const text = text_.data() + field.name_at;
  std::transform(text, text + name.size(), text, to_lower);
  field.known = lookup_header({text, name.size()});
  field.value_at = append_text(own ? std::string_view(text_.data() + own_at, value.size()) : value);
  fields_.push_back(field);
}

void HeaderMap::add_known(HeaderName known, std::string_view name, std::string_view value) {
  assert(!name.empty() && name.size() <= 0xffff);
  if (fields_.capacity() == 0) make_room();
  Field field;
  field.known = known;
  field.name_at = static_cast<std::uint32_t>(text_.size());
  field.name_size = static_cast<std::uint16_t>(name.size());
  field.value_at = field.name_at + field.name_size;
  field.value_size = static_cast<std::uint32_t>(value.size());
  text_.append(name);
  text_.append(value);
  fields_.push_back(field);
}

void HeaderMap::add(HeaderName name, std::string_view value) {
  if (fields_.capacity() == 0) make_room();
  const std::string_view text = text_of(name);
  Field field;
  field.known = name;
  field.name_size = static_cast<std::uint16_t>(text.size());
  field.value_size = static_cast<std::uint32_t>(value.size());
  field.value_at = static_cast<std::uint32_t>(text_.size());
  field.name_at = field.value_at + field.value_size;
  text_.append(value);  // First, as it may be our own text.
  text_.append(text);
  fields_.push_back(field);
}

void HeaderMap::add_first(HeaderName name, std::string_view value) {
  add(name, value);
  move_to_front(fields_.size() - 1);
}

void HeaderMap::set(HeaderName name, std::string_view value) {
  const std::size_t i = find(name);
  if (i == npos) {
    add(name, value);
  } else {
    set_value(i, value);
  }
}

void HeaderMap::set_value(std::size_t i, std::string_view value) {
  Field& field = fields_[i];
  if (value.size() <= field.value_size) {
    std::memmove(text_.data() + field.value_at, value.data(), value.size());
  } else {
    field.value_at = append_text(value);
  }
  field.value_size = static_cast<std::uint32_t>(value.size());
}

void HeaderMap::join_value(std::size_t i, std::string_view separator, std::string_view more) {
  // Joining is rare: a copy is simpler than to reason about text within itself.
  std::string joined;
  joined.reserve(fields_[i].value_size + separator.size() + more.size());
  joined.append(value(i)).append(separator).append(more);
  set_value(i, joined);
}

void HeaderMap::move_to_front(std::size_t i) {
  const auto begin = fields_.begin();
  std::rotate(begin, begin + static_cast<std::ptrdiff_t>(i),
              begin + static_cast<std::ptrdiff_t>(i) + 1);
}

void HeaderMap::remove(HeaderName name) {
  assert(name != HeaderName::Other);
  for (std::size_t i = find(name); i != npos; i = find(name, i)) remove_at(i);
}

void HeaderMap::remove(std::string_view name) {
  for (std::size_t i = find(name); i != npos; i = find(name, i)) remove_at(i);
}

void HeaderMap::make_room() {
  constexpr std::size_t kUsualFields = 16;
  constexpr std::size_t kUsualTextBytes = 512;
  fields_.reserve(kUsualFields);
  text_.reserve(kUsualTextBytes);
}

char* HeaderMap::assign_text(std::string_view text, std::size_t padding) {
  if (fields_.capacity() == 0) make_room();
  fields_.clear();
  text_.clear();
  text_.append(text);
  if (padding > 0) text_.append_zeros(padding);
  return text_.data();
}

}  // namespace wire
