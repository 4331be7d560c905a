#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "mesh/model.h"
#include "proxy/plan.h"
#include "world/result.h"

/// What `meshproof explain --health` says: who checks what, by which reading, and what follows.
namespace conformance {

/// One probe of the course that is shown.
struct ProbeStory {
  world::Duration at{};     ///< When it begins.
  world::Duration ended{};  ///< When its result is known.
  std::string answer;       ///< "200", "no answer", "503".
  bool healthy = false;     ///< Afterwards.
  std::string why;          ///< "2 of 3 in a row"; empty where nothing is to be said.
};

/// One health check of the mesh.
struct HealthStory {
  std::string what;  ///< "virtualGateway edge, listener 9080".
  world::Place place;
  std::string checked_by;  ///< In plain words.
  std::string probe;       ///< "GET /ping over HTTP/1.1, 2s for an answer".
  std::string schedule;    ///< "each 5s".
  std::string rules;       ///< Which reading, and what it says.
  std::vector<std::string> clauses;
  std::vector<ProbeStory> course;
};

/// Every health check that has to do with the gateway, its own first. `gateway` may be empty: the
/// only one. What follows from answers is found by the gateway's own state machine.
///
/// Requires: the mesh was validated. Errors: no such gateway; none, or several to choose from.
/// Source: HC-02 to -08, AM-HC-02, AM-HC-03, ENV-HC-01 to -11.
world::Result<std::vector<HealthStory>> explain_health(const mesh::Mesh& mesh,
                                                       std::string_view gateway);

/// For a terminal.
std::string health_text(const std::vector<HealthStory>& stories);
nlohmann::ordered_json health_json(const std::vector<HealthStory>& stories);

}  // namespace conformance
