#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "document/parse.h"
#include "document/reader.h"
#include "mesh/model.h"
#include "mesh/validate.h"
#include "world/result.h"

namespace mesh {

/// Names for resources that do not carry them, as the command line's --virtual-gateway-name does
/// for a --cli-input-json file which only has a spec. Empty: not given.
struct Names {
  std::string mesh;
  std::string virtual_gateway;
  std::string gateway_route;
  std::string virtual_service;
  std::string virtual_node;
  std::string virtual_router;
  std::string route;
};

struct ReadOptions {
  /// The rules that hold. Absent: as the document's own `era` says, else SeedB.
  std::optional<Era> era;
  /// Used where a resource has no name or no parent of its own.
  Names names;
  /// The mesh's name if neither the documents nor `names` give one.
  std::string default_mesh_name = "mesh";
  /// Reads what recorded cases of the real proxy need and the API does not have: `static`
  /// discovery, routes written inside their router, a prefix in a grpc match, rewrites to a
  /// prefix that does not end with "/".
  bool recorded_cases = false;
  ValidateOptions validate;
  /// Hears of each resource as it was written. `parent` is empty where none was named, `spec` null
  /// where there was none.
  std::function<void(Kind, const std::string& name, const std::string& parent,
                     const document::Value* spec)>
      on_resource{};
};

/// Reads resources from any number of documents into one mesh, and validates it.
///
/// A document is one of, or a list of:
///  - the scenario's inline form: `{virtualGateway: edge, spec: {...}}`, with the parent's name
///    for `gatewayRoute` and `route`;
///  - the AWS CLI's input: `{virtualGatewayName, meshName, spec, clientToken, tags, meshOwner}`;
///    which kind it is, its names say, or `ReadOptions::names`;
///  - the AWS CLI's output: `{"virtualGateway": {meshName, metadata, spec, status, ...}}`;
///  - an object of several: `{era, mesh, virtualGateways: [...], gatewayRoutes: [...], ...}`, where
///    `mesh` may be a list in inline form, or the mesh's name.
///
/// Errors: everything that is wrong with the resources, one by one and together, in order of the
/// text, each with JSON pointer and place. If anything is wrong nothing is returned.
world::Result<Mesh, world::Errors> load(std::span<const document::Document> documents,
                                        const ReadOptions& options = {});

/// Reads resources that stand inside a larger document, such as a scenario's `mesh:`.
///
/// Each read() takes a value in any of the forms above, checks shapes and the rules within one
/// resource (AM-SHP-*, AM-VAL-01 to -23, -30, -31), and reports to the reader's Problems.
/// finish() then fills in names and checks the resources together. The mesh is good only if
/// there were no problems.
class MeshReader {
 public:
  explicit MeshReader(ReadOptions options = {});

  void read(document::Reader at);
  /// The same for the input of the API, or a resource as it stores it, of a known kind:
  /// `{virtualGatewayName, meshName, spec, clientToken, tags}`.
  void read_input(document::Reader at, Kind kind);
  /// What was read until now, not yet checked together.
  const Mesh& so_far() const { return mesh_; }
  Mesh finish(document::Problems& problems);

 private:
  friend class ResourceReader;

  ReadOptions options_;
  Mesh mesh_;
  std::optional<Era> document_era_;
};

}  // namespace mesh
