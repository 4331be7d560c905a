#pragma once

#include <map>
#include <string>
#include <vector>

#include "envoy/json.h"
#include "proxy/plan.h"
#include "world/result.h"

namespace envoy {

struct BootstrapOptions {
  /// Where the files will be, an absolute path: Envoy finds the one from the other by it.
  std::string folder;
};

/// A gateway's plan for a real Envoy.
struct Bootstrap {
  std::map<std::string, Json>
      files;  ///< By their paths below the folder; Envoy is started with "envoy.json".
  std::vector<std::string> notes;  ///< What is otherwise than with App Mesh, or yet to be done.
};

/// Two listeners in one Envoy, or one in the single-hop form, with all of App Mesh's names and the
/// settings that its Envoy had. Whatever the plan says is in it, or in a note.
///
/// Errors: what no mesh can say and only the recorded cases use.
/// Source: CD-01 to -04, AM-STA-01, AM-STA-02, AM-LOG-01, AM-LOG-02.
world::Result<Bootstrap> bootstrap(const proxy::GatewayPlan& plan, const BootstrapOptions& options);

}  // namespace envoy
