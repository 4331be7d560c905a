#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "peers/client_connection.h"
#include "peers/request_spec.h"
#include "peers/service.h"
#include "proxy/gateway.h"
#include "proxy/plan.h"
#include "sim/simulation.h"

namespace bench {

/// The plan of a gateway with one route, /api of any host, that is rewritten to the default
/// prefix and to the service's host name. Read from resources as a user writes them. All its
/// listeners have the protocol "http" or "http2".
std::shared_ptr<const proxy::GatewayPlan> chain_plan(const std::string& protocol = "http");

/// Where the gateway of every such world listens: it is the first host.
inline constexpr world::Endpoint kFront{0x0a000001, 8080};

/// GET /api/items/42 of gw.example.com.
std::shared_ptr<const peers::PreparedRequest> chain_request();

/// The answer of the service: 200 and 64 bytes.
std::shared_ptr<const peers::ServiceScript> chain_script();

/// Hosts 1 ms apart: clients, a gateway with both of its hops, a service.
class ChainWorld {
 public:
  ChainWorld(std::shared_ptr<const proxy::GatewayPlan> plan,
             std::shared_ptr<const peers::ServiceScript> script, int client_hosts = 1);

  sim::Simulation simulation;
  std::vector<sim::Host*> client_hosts;
  sim::Host& gateway_host;
  sim::Host& service_host;
  proxy::Gateway gateway;
  peers::Service service;
};

/// Connections that take turns at sending one request each, so many of them at a time.
///
/// The next connection in turn is opened when it first sends.
class Rota final : private peers::ClientConnectionEvents {
 public:
  /// Connection i belongs to host i / 20,000: a host has 28,232 ports towards one remote end.
  static constexpr std::size_t kConnectionsPerHost = 20'000;

  Rota(ChainWorld& world, std::size_t connections, std::string request)
      : world_(world), connections_(connections), request_(std::move(request)) {}

  /// Sends that many requests, and runs the world until all are answered.
  void run(std::uint64_t requests, std::uint64_t at_a_time);
  std::uint64_t answered() const { return answered_; }
  std::uint64_t failed() const { return failed_; }

 private:
  void on_answer(peers::ClientConnection&) override;
  void on_over(peers::ClientConnection&, peers::Ending) override { ++failed_; }
  void send_next();

  ChainWorld& world_;
  std::vector<std::unique_ptr<peers::ClientConnection>> connections_;
  std::string request_;
  std::size_t turn_ = 0;
  std::uint64_t to_send_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace bench
