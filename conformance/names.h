#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/scenario.h"
#include "mesh/model.h"

namespace conformance {

/// "edge-2": the host of an instance of a gateway, or of an endpoint of a node.
std::string numbered(std::string_view name, std::uint32_t number);

/// A message that goes on with the name that was most likely meant, or with all that there are.
std::string with_suggestion(std::string message, std::string_view written,
                            const std::vector<std::string>& names);
/// As names are compared when they are asked for: case does not count, nor a dot at the end.
std::string plain_name(std::string name);

/// "gateway", "service", "endpoint", "client", "nlb".
std::string_view word_of(EntityKind kind);
std::optional<EntityKind> entity_from_word(std::string_view word);
/// What can be counted of such a thing.
const std::vector<std::string>& fields_of(EntityKind kind);

/// What things are called in one scenario's world.
class Names {
 public:
  /// `sound` false: the mesh has errors, so any name may be right.
  Names(const mesh::Mesh& mesh, const WorldSetup& world, bool sound);

  bool has(EntityKind kind, std::string_view name) const;
  /// "there is no gateway egde; did you mean edge?"
  std::string unknown(EntityKind kind, std::string_view name) const;
  /// Whether a name stands for hosts that links may join.
  bool is_link_end(std::string_view name) const;
  std::string unknown_link_end(std::string_view name) const;
  /// The first listener's port, if that is a gateway or an instance of one.
  std::optional<std::uint16_t> gateway_port(std::string_view host) const;
  /// What is spoken there, if that is a gateway, an instance of one, or a balancer in front.
  std::optional<mesh::Protocol> gateway_protocol(std::string_view host, std::uint16_t port) const;
  /// Whether world.pki has it.
  bool has_certificate(std::string_view name) const;
  const std::vector<std::string>& all(EntityKind kind) const { return names_.at(kind); }

 private:
  bool sound_;
  std::map<EntityKind, std::vector<std::string>> names_;
  std::map<std::string, std::uint16_t, std::less<>> gateway_ports_;
  std::map<std::pair<std::string, std::uint16_t>, mesh::Protocol> gateway_protocols_;
  std::vector<std::string> link_ends_;
  std::vector<std::string> certificates_;
};

}  // namespace conformance
