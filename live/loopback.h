#pragma once

#include <cstdint>
#include <memory>

#include "world/result.h"

namespace live {

/// One of the networks 127.1/16 to 127.254/16, for whoever holds this: no other program of ours on
/// this machine has the same one. All of their addresses can be bound and connected to at once.
class LoopbackNetwork {
 public:
  /// Errors: none is free.
  static world::Result<std::unique_ptr<LoopbackNetwork>> claim();
  ~LoopbackNetwork();
  LoopbackNetwork(const LoopbackNetwork&) = delete;
  LoopbackNetwork& operator=(const LoopbackNetwork&) = delete;

  static constexpr std::uint32_t kHostPart = 0xffff;
  /// The host part of the address that is used for claiming: nothing listens there.
  static constexpr std::uint32_t kClaimHost = 0xfffe;
  static constexpr std::uint16_t kClaimPort = 47'808;

  std::uint32_t base() const { return base_; }  ///< 127.N.0.0

 private:
  LoopbackNetwork(int descriptor, std::uint32_t base) : descriptor_(descriptor), base_(base) {}

  int descriptor_;  // bound, and never listened on
  std::uint32_t base_;
};

}  // namespace live
