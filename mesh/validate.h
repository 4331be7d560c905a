#pragma once

#include <cstdint>
#include <vector>

#include "mesh/model.h"
#include "world/result.h"

namespace mesh {

struct ValidateOptions {
  /// A virtual service that is named as a target and not defined is allowed: scenarios put a
  /// node behind it. Off: it is an error. Source: AM-VAL-32, which is open.
  bool allow_undefined_services = true;
  /// Ports that a gateway's listener may not have, as its proxy uses them itself. The API does
  /// not check this; a proxy could not start. Source: AM-VAL-28.
  std::vector<std::uint16_t> proxy_ports = {9901, 15001};
  /// Whether the default quotas of an account hold. Source: AM-QUO-01, -02, -05, -06.
  bool quotas = false;
};

/// Judges the resources of a mesh together: parents, providers and targets exist, names are
/// unique, ports are named where there are several listeners.
///
/// Requires: each resource was read without an error. Source: AM-VAL-24, -25, -28, -32, AM-API-09.
/// Errors: in order of the resources, each at the resource or its member.
world::Errors validate(const Mesh& mesh, const ValidateOptions& options = {});

}  // namespace mesh
