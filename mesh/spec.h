#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "document/reader.h"
#include "mesh/model.h"

/// The specs of the seven kinds and their parts, read strictly: types, bounds, members that exclude
/// each other, and rules between members of one spec. Each function reports through its reader
/// and returns what could be read. Used by mesh/read.h.
///
/// Source: AM-SHP-001 to -309, AM-VAL-01 to -23, -30, -31.
namespace mesh {

using document::Reader;

/// What holds for all specs of a mesh.
struct SpecRules {
  Era era = Era::SeedB;
  bool recorded_cases = false;  ///< See ReadOptions.
};

// Whole specs. They fill in what is not a name.
void read_mesh_spec(Reader at, const SpecRules& rules, Mesh& mesh);
void read_virtual_gateway_spec(Reader at, const SpecRules& rules, VirtualGateway& gateway);
void read_gateway_route_spec(Reader at, const SpecRules& rules, GatewayRoute& route);
void read_virtual_service_spec(Reader at, VirtualService& service);
void read_virtual_node_spec(Reader at, const SpecRules& rules, VirtualNode& node);
void read_virtual_router_spec(Reader at, const SpecRules& rules, VirtualRouter& router);
void read_route_spec(Reader at, const SpecRules& rules, Route& route);

/// `[{key, value}]`; of a key that is there twice the last counts. Source: AM-SHP-317, -318.
std::map<std::string, std::string> read_tags(const Reader& at);

}  // namespace mesh
