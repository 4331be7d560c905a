#include "live/loopback.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace live {
namespace {

constexpr std::uint32_t kLoopback = 0x7f000000;  // 127.0.0.0
constexpr std::uint32_t kFirst = 1;              // 127.0 is everybody's
constexpr std::uint32_t kLast = 254;

/// A descriptor that is bound there, or -1.
int bound_to(std::uint32_t address) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(address);
  at.sin_port = htons(LoopbackNetwork::kClaimPort);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) return descriptor;
  const int why = errno;
  ::close(descriptor);
  errno = why;
  return -1;
}

}  // namespace

world::Result<std::unique_ptr<LoopbackNetwork>> LoopbackNetwork::claim() {
  for (std::uint32_t i = kFirst; i <= kLast; ++i) {
    const std::uint32_t base = kLoopback | i << 16;
    const int descriptor = bound_to(base | kClaimHost);
    if (descriptor >= 0) {
      return std::unique_ptr<LoopbackNetwork>(new LoopbackNetwork(descriptor, base));
    }
  }
  // The last of them tells for all, as they are tried in vain for one reason.
  const std::string why = std::error_code(errno, std::generic_category()).message();
  return world::Error{
      {}, "no network of the loopback interface (127.1 to 127.254) is free: " + why, {}};
}

LoopbackNetwork::~LoopbackNetwork() {
  ::close(descriptor_);
}

}  // namespace live
