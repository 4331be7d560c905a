#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "wire/tls/transport.h"

namespace peers {

/// What one end knows of the TLS of a connection.
struct TlsSeen {
  std::optional<wire::tls::Agreed> agreed;    ///< Absent: the handshake was not completed.
  std::optional<wire::tls::Failure> failure;  ///< Absent: nothing failed.
};
using TlsSeenPtr = std::shared_ptr<const TlsSeen>;  ///< Null: in plain text.

inline TlsSeenPtr seen_of(const wire::tls::TlsTransport* transport) {
  if (transport == nullptr) return nullptr;
  auto seen = std::make_shared<TlsSeen>();
  if (transport->secured()) seen->agreed = transport->agreed();
  if (transport->failure() != nullptr) seen->failure = *transport->failure();
  return seen;
}

}  // namespace peers
