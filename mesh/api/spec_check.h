#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "document/reader.h"
#include "mesh/api/record.h"
#include "mesh/api/refusal.h"
#include "mesh/api/store.h"
#include "mesh/read.h"

namespace mesh::api {

/// Judges one resource that is to be stored: first alone, then with those it touches. The rules
/// are those of mesh/read.h and mesh/validate.h, as for the meshes of scenarios.
///
/// Source: AM-SHP-*, AM-VAL-01 to -25, -30 to -32, API-05.
class SpecCheck {
 public:
  explicit SpecCheck(Era era);

  /// Shapes, bounds, and rules within the spec. Comes first.
  std::optional<Refusal> alone(const Json& input, Kind kind);

  // Requires: alone() found nothing.

  /// The resources that it names and that must be there.
  std::vector<Key> needs(const Record& record) const;
  /// How many backends a virtual node has.
  std::size_t backends() const;
  /// A certificate of another account than the owner's. Source: AM-SHR-08.
  std::optional<Refusal> foreign_certificate(std::string_view owner) const;
  /// Those it names exist, and the rules between it, these, its parent and its children hold.
  /// Comes last.
  std::optional<Refusal> together(const Store& store, const Record& record);

 private:
  void read_neighbour(const Record& record);

  MeshReader reader_;
  document::Problems problems_;
};

/// A record in the form of the API's input, for the readers.
Json as_input(const Record& record);

}  // namespace mesh::api
