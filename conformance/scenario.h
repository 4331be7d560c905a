#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/api_call.h"
#include "conformance/balancer_setup.h"
#include "conformance/expectation.h"
#include "conformance/fault.h"
#include "conformance/tls_setup.h"
#include "mesh/model.h"
#include "peers/client.h"
#include "peers/request_spec.h"
#include "peers/service_script.h"
#include "sim/host.h"
#include "sim/link.h"
#include "world/result.h"
#include "world/time.h"

/// A scenario file as values: what docs/scenarios.md describes.
namespace conformance {

using world::Duration;

/// `world: { gateways: ... }`; every gateway of the mesh has one.
struct GatewaySetup {
  std::string name;
  std::uint32_t instances = 1;
  bool watched = false;                 ///< Someone runs the health checks of its listeners.
  std::vector<std::string> unwritable;  ///< Paths that cannot be written there.
  std::string fails;                    ///< Why its proxy does not start; empty: it does.
  /// What its task's proxy configuration does, if it has one.
  std::optional<sim::Redirect> redirect;
  std::vector<std::string> zones;  ///< Of its instances, in turn; none said: those of balancers.
  Duration keep_alive{};           ///< Silence before its TCP asks its peers; 0: it never does.
  world::Place place;
};

/// `world: { services: ... }`; every virtual node has one.
struct ServiceSetup {
  std::string node;
  std::uint32_t endpoints = 1;
  /// What its endpoints are registered with in Cloud Map; absent: what the node asks for.
  std::optional<std::vector<std::pair<std::string, std::string>>> attributes;
  std::shared_ptr<const peers::ServiceScript> script;
  bool refuses = false;    ///< Nothing listens on its endpoints.
  bool blackhole = false;  ///< Its endpoints answer nothing at all.
  std::optional<ServiceTls> tls;
  world::Place place;
};

struct ClientSetup {
  std::string name;
  peers::ConnectionPolicy connections = peers::ConnectionPolicy::One;
  bool keeps_addresses = false;  ///< What it once resolved it never asks again.
  Duration keep_alive{};         ///< As a gateway's.
  ClientTls tls;                 ///< For URLs of https.
};

/// One of `world: { links: ... }`. Ends are clients, gateways, instances, nodes, endpoints or
/// balancers; a name that stands for several hosts means each of them.
struct LinkSetup {
  std::string from;
  std::string to;
  bool both_ways = false;
  sim::LinkOptions options;
  world::Place place;
};

struct WorldSetup {
  std::vector<BalancerSetup> balancers;
  std::vector<GatewaySetup> gateways;
  std::vector<ServiceSetup> services;
  std::vector<ClientSetup> clients;
  sim::LinkOptions default_link{.latency = std::chrono::milliseconds(1)};
  std::vector<LinkSetup> links;
  std::vector<CertificateSetup> pki;  ///< Issuers before those that they issue.
  Materials materials;                ///< At the start.
  /// Who else may use the mesh's API; of which mesh is not said here.
  std::vector<mesh::api::Share> shares;
};

/// `request:` and `requests:`.
struct RequestAction {
  std::string client;
  peers::RequestSpec request;
  std::string url;   ///< As written.
  std::string name;  ///< `as`; empty: none.
  std::optional<peers::ConnectionPolicy> connections;
  std::optional<ClientTls> tls;  ///< Absent: the client's.
  bool is_group = false;
  bool is_grpc = false;
  std::uint64_t count = 1;
  Duration every{};
};

/// `raw:`: bytes as an outside client writes them.
struct RawAction {
  struct Piece {
    std::string bytes;
    std::uint64_t times = 1;
    Duration pause{};  ///< Before the bytes.
  };
  enum class Ending : std::uint8_t { None, Finish, Close, Reset };

  std::string client;
  std::string to;  ///< Host, as written.
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t source_port = 0;  ///< 0: any.
  std::string on;  ///< Name of a connection that an earlier step opened; then `to` is empty.
  std::string name;
  std::vector<Piece> pieces;
  Ending ending = Ending::None;
  std::optional<Duration> wait;  ///< Judged so long after it began, whatever came.
};

struct Step {
  std::size_t index = 0;
  world::Place place;
  std::optional<Duration> at;
  std::optional<Duration> wait;
  std::optional<RequestAction> request;
  std::optional<RawAction> raw;
  std::optional<Fault> fault;
  std::optional<Until> until;
  std::optional<RegistrationAction> registration;
  std::optional<ApiCall> call;
  std::optional<ApiExpectation> answered;  ///< `expect` of a call.
  Materials set;  ///< `set`: what files, secrets and ARNs hold from now on.
  std::optional<Expectation> expect;
};

/// What a run may cost. Beyond it the scenario has failed.
struct RunLimits {
  Duration time = std::chrono::hours(1);  ///< Of simulated time after the last step began.
  std::uint64_t events = 50'000'000;      ///< Tasks of the event loop.
  std::uint64_t instant = 1'000'000;      ///< The same, at one instant.
};

/// One scenario in one variant, checked and complete: defaults are filled in.
struct Scenario {
  std::string id;  ///< With "[name=value,...]" for a variant.
  std::string file;
  std::string digest;  ///< Of the file's bytes.
  std::map<std::string, std::string> variant;
  std::string title;
  std::vector<std::string> clauses;
  mesh::Era era = mesh::Era::SeedB;
  std::uint64_t seed = 0;
  mesh::Mesh mesh;
  std::vector<WrittenResource> resources;  ///< Of the mesh, as they were written.
  std::shared_ptr<const Protos> protos;    ///< Null: none are named.
  /// Where `expect: refused` stands: nothing is run, and `mesh_errors` are judged.
  std::optional<RefusedExpectation> refused;
  world::Errors mesh_errors;
  WorldSetup world;
  std::vector<Step> steps;
  std::vector<Invariant> always;
  RunLimits limits;
  world::Errors warnings;  ///< What is accepted and has no effect yet.
};

}  // namespace conformance
