#pragma once

#include <string>
#include <vector>

#include "conformance/balancer_setup.h"
#include "conformance/names.h"
#include "conformance/scenario.h"
#include "document/reader.h"
#include "mesh/model.h"

namespace conformance {

/// Reads `world: { nlb: ... }`. The mesh's era says what could be set at the time.
std::vector<BalancerSetup> read_balancers(document::Reader at, const mesh::Mesh& mesh,
                                          bool mesh_is_sound);

/// What needs the gateways: that registered instances exist.
void check_balancers(const WorldSetup& world, bool mesh_is_sound, document::Problems& problems);

/// `register: edge-2`, or `{ nlb: edge-nlb, target: edge-2 }`.
RegistrationAction read_registration(document::Reader at, bool leaves, const WorldSetup& world,
                                     const Names& names);

/// Takes `targets` and `zones` out of what is expected of a balancer; the rest are numbers.
std::optional<BalancerExpectation> read_balancer_expectation(document::Reader at,
                                                             const std::string& balancer,
                                                             const Names& names);

}  // namespace conformance
