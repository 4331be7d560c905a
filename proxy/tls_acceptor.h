#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/downstream.h"
#include "wire/tls/transport.h"

namespace proxy {

/// A connection to a listener with TLS, until its handshake is over. Then it begins to speak HTTP.
///
/// A listener that takes both looks at the first bytes. Source: ENV-TLS-01, -02.
class TlsAcceptor final : public Downstream {
 public:
  TlsAcceptor(Hop& hop, std::unique_ptr<world::Transport> transport, OriginPtr origin);

  /// `bytes` were read already. May destroy the transport.
  void begin(std::string_view bytes);

 private:
  void on_connected() override;
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void on_timer() override;

  void inspect(std::string_view bytes);
  void shake(std::string_view bytes);

  wire::tls::TlsTransport* secure_ = nullptr;  // the transport, once it is one
  std::string bytes_;                          // that were looked at
};

}  // namespace proxy
