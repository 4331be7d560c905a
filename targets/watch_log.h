#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/target.h"

namespace targets {

/// "127.3.0.4:40000"; what is none is the zero one.
world::Endpoint endpoint_of(std::string_view text);

/// Reads what an Envoy writes to the watch log of its bootstrap, while it writes.
class WatchLog {
 public:
  explicit WatchLog(std::filesystem::path path) : path_(std::move(path)) {}

  /// What has come since the last call.
  std::vector<conformance::GatewayReport> read();

 private:
  std::filesystem::path path_;
  std::size_t at_ = 0;  // so much of the file has been read
  std::string rest_;    // the begin of a line
};

}  // namespace targets
