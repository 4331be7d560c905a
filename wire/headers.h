#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/text_buffer.h"

namespace wire {

/// Header names that the gateway looks at. Found by number, not by comparing text.
enum class HeaderName : std::uint8_t {
  Other,
  // Pseudo headers, kept as ordinary entries so that matchers see them (":path").
  PseudoMethod,
  PseudoPath,
  PseudoAuthority,
  PseudoScheme,
  PseudoStatus,
  // Message framing and connection handling.
  Connection,
  ContentLength,
  Expect,
  Http2Settings,
  KeepAlive,
  ProxyConnection,
  Te,
  TransferEncoding,
  Upgrade,
  // Ordinary ones.
  ContentType,
  Cookie,
  Date,
  GrpcMessage,
  GrpcStatus,
  GrpcTimeout,
  Host,
  Server,
  UserAgent,
  ForwardedFor,
  ForwardedProto,
  RequestId,
  // Envoy's and App Mesh's own.
  EnvoyExpectedTimeout,      ///< x-envoy-expected-rq-timeout-ms
  EnvoyOriginalHost,         ///< x-envoy-original-host
  EnvoyOriginalPath,         ///< x-envoy-original-path
  EnvoyUpstreamServiceTime,  ///< x-envoy-upstream-service-time
  EnvoyOverloaded,           ///< x-envoy-overloaded
  EnvoyRateLimited,          ///< x-envoy-ratelimited
  MeshVirtualService,        ///< x-app-mesh-virtual-service
};

/// The number of a lower-case name; Other for one that is not in the list.
HeaderName lookup_header(std::string_view lower_case_name);
/// The lower-case text. Requires: not Other.
std::string_view text_of(HeaderName name);

/// What is known of a header name.
struct HeaderTraits {
  /// Which slot the real proxy keeps for this name, so that repeated lines become one value joined
  /// with ","; -1 where every line is kept. Slots of requests and responses differ.
  std::int8_t request_slot = -1;
  std::int8_t response_slot = -1;
  HeaderName name = HeaderName::Other;
};
/// Slot numbers are below this.
inline constexpr int kMaxHeaderSlots = 64;

/// Source: ENV-HTTP-22, ENV-HTTP-30; the list was measured name by name.
const HeaderTraits& lookup_header_traits(std::string_view lower_case_name);

/// The headers of one message, in order, names in lower case.
///
/// One buffer holds all text, so that a message costs few allocations and a reused map costs none.
/// Views handed out stay valid until the next change of the map.
class HeaderMap {
 public:
  struct Field {
    std::uint32_t name_at = 0;
    std::uint32_t value_at = 0;
    std::uint32_t value_size = 0;
    std::uint16_t name_size = 0;
    HeaderName known = HeaderName::Other;
  };

  bool empty() const { return fields_.empty(); }
  std::size_t size() const { return fields_.size(); }
  /// Bytes of all names and values.
  std::size_t text_bytes() const;

  std::string_view name(std::size_t i) const {
    return {text_.data() + fields_[i].name_at, fields_[i].name_size};
  }
  std::string_view value(std::size_t i) const {
    return {text_.data() + fields_[i].value_at, fields_[i].value_size};
  }
  HeaderName known(std::size_t i) const { return fields_[i].known; }

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  std::size_t find(HeaderName name, std::size_t from = 0) const;
  /// Requires: `name` is in lower case.
  std::size_t find(std::string_view name, std::size_t from = 0) const;
  bool has(HeaderName name) const { return find(name) != npos; }
  /// The first value of that name, or "".
  std::string_view get(HeaderName name) const {
    const std::size_t i = find(name);
    return i == npos ? std::string_view{} : value(i);
  }
  std::string_view get(std::string_view name) const {
    const std::size_t i = find(name);
    return i == npos ? std::string_view{} : value(i);
  }

  /// Appends. The name is put into lower case on the way in. Text that is given to this and to the
  /// functions below may be a part of this map.
  void add(std::string_view name, std::string_view value);
  void add(HeaderName name, std::string_view value);
  /// The same for a name that was looked up. Requires: `name` is in lower case, and no text given
  /// is a part of this map.
  void add_known(HeaderName known, std::string_view name, std::string_view value);
  /// Puts a field before all others.
  void add_first(HeaderName name, std::string_view value);
  /// Replaces the first value of that name where it stands, or appends.
  void set(HeaderName name, std::string_view value);
  void set_value(std::size_t i, std::string_view value);
  /// Appends `separator` and `more` to the value at i.
  void join_value(std::size_t i, std::string_view separator, std::string_view more);
  /// Moves a field before all others.
  void move_to_front(std::size_t i);
  /// Removes every field of that name.
  void remove(HeaderName name);
  void remove(std::string_view name);
  void remove_at(std::size_t i) { fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(i)); }

  /// For parsers: forgets everything, takes a copy of `text` with `padding` zeros behind it, and
  /// returns that for changes in place. `place` then adds fields whose name (in lower case) and
  /// value stand in that text.
  char* assign_text(std::string_view text, std::size_t padding = 0);
  void place(const Field& field) { fields_.push_back(field); }

  /// Forgets the fields and keeps the memory.
  void clear() {
    fields_.clear();
    text_.clear();
  }
  /// Forgets the fields and gives the memory back.
  void release() {
    std::vector<Field>().swap(fields_);
    text_ = {};
  }

 private:
  /// Memory for an ordinary head in one step rather than in many.
  void make_room();
  /// Appends to the text, also a part of itself. Returns where it begins.
  std::uint32_t append_text(std::string_view text);

  TextBuffer text_;
  std::vector<Field> fields_;
};

}  // namespace wire
