#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/downstream.h"

namespace proxy {

/// A connection from which a PROXY protocol header is awaited. Then it begins to speak HTTP.
///
/// Source: ENV-LIFE-10, -11.
class ProxyHeaderReader final : public Downstream {
 public:
  ProxyHeaderReader(Hop& hop, std::unique_ptr<world::Transport> transport);

 private:
  void on_data(std::string_view bytes) override;
  void on_end() override { end(); }
  void on_error(std::error_code) override { end(); }
  void on_timer() override;

  /// Bytes that were only looked at make the close a reset.
  void end();

  std::string bytes_;
};

}  // namespace proxy
