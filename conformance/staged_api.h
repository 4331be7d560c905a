#pragma once

#include <string>

#include "conformance/scenario.h"
#include "mesh/api/memory_store.h"
#include "world/time.h"

namespace conformance {

/// The control plane of one run: what answers `call`.
class StagedApi {
 public:
  /// With the scenario's mesh in it, made by its owner at `start`. Requires: the scenario lives on.
  StagedApi(const Scenario& scenario, world::CalendarTime start);

  struct Outcome {
    int status = 200;
    std::string error;         ///< Its type; empty: there is none.
    mesh::api::Json answer{};  ///< As the command line prints it; of an error its body.
    bool changed = false;
  };
  Outcome call(const ApiCall& call, world::CalendarTime now);

  /// Why the mesh could not be made as the API has it; empty: it could.
  const std::string& problem() const { return problem_; }

 private:
  void make(const WrittenResource& resource, world::CalendarTime at);

  mesh::api::Options options_;
  mesh::api::MemoryStore store_;
  std::string mesh_;
  std::string problem_;
};

}  // namespace conformance
