#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "control/accounts.h"
#include "mesh/api/api.h"
#include "world/result.h"

namespace control {

struct ServerOptions {
  std::uint32_t address = 0x7F000001;  ///< IPv4 in host order.
  std::uint16_t port = 4599;           ///< 0: any that is free.
  mesh::api::Options api;
  /// Absent: nobody's signature is looked at, and all calls are `default_account`'s.
  std::optional<Accounts> accounts;
  std::string default_account = "123456789012";
  std::optional<std::uint32_t> calls_per_second;  ///< Of one account; absent: any number.
  std::size_t most_connections = 1024;            ///< Who comes beyond gets 503.
};

/// The App Mesh API over HTTP/1.1, in one thread: whose call it is by its signature, then the
/// answer by mesh::api::answer().
class Server {
 public:
  /// Requires: the store outlives the server.
  Server(mesh::api::Store& store, ServerOptions options);
  ~Server();

  /// Begins to listen. The port; or why it cannot be listened on.
  world::Result<std::uint16_t> start();
  /// Serves until SIGINT or SIGTERM. Requires: started.
  void run();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace control
