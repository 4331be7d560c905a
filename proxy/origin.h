#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "wire/proxy_protocol.h"
#include "wire/tls/transport.h"

namespace proxy {

/// What is known of a client's connection beside its transport. Most have nothing of it.
struct Origin {
  /// Both ends, as a PROXY protocol header named them.
  std::optional<wire::proxy_protocol::Ends> announced{};
  std::optional<wire::tls::Agreed> tls{};  ///< It is encrypted.
  // For the line of the connection itself.
  std::string failure{};  ///< Of the transport.
  std::uint16_t flags = 0;
};

/// Null: nothing.
using OriginPtr = std::unique_ptr<Origin>;

inline Origin& ensure(OriginPtr& origin) {
  if (origin == nullptr) origin = std::make_unique<Origin>();
  return *origin;
}

}  // namespace proxy
