#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "envoy/json.h"
#include "envoy/secret_file.h"
#include "proxy/plan.h"
#include "world/result.h"

namespace envoy {

struct BootstrapOptions {
  /// Where the files will be, an absolute path: Envoy finds the one from the other by it.
  std::string folder;
  /// An address of the machine that it has alone: where all of it listens, and where its
  /// connections come from. Empty: it listens everywhere, as App Mesh's, which is the names' part.
  std::string address{};
  std::uint16_t admin_port = 9901;  ///< Source: CD-02.
  /// Where each request of the first hop, and each of its connections, is told of in lines of
  /// kWatchedFields. Empty: nowhere.
  std::string watch_log{};
};

/// What a line of the watch log has: a JSON object with the name and the format of each. A request
/// has one at its begin and one at its end.
inline constexpr std::pair<const char*, const char*> kWatchedFields[] = {
    {"kind", "%ACCESS_LOG_TYPE%"},
    {"client", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"},
    {"gateway", "%DOWNSTREAM_LOCAL_ADDRESS%"},
    {"id", "%REQ(X-REQUEST-ID)%"},
    {"route", "%ROUTE_NAME%"},
    {"flags", "%RESPONSE_FLAGS%"},
    {"details", "%RESPONSE_CODE_DETAILS%"},
    {"subject", "%DOWNSTREAM_PEER_SUBJECT%"},
    {"tls", "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"},
};

/// A gateway's plan for a real Envoy.
struct Bootstrap {
  std::map<std::string, Json>
      files;  ///< By their paths below the folder; Envoy is started with "envoy.json".
  std::vector<SecretFile> secrets;
  std::vector<std::string> notes;  ///< What is otherwise than with App Mesh, or yet to be done.
};

/// Two listeners in one Envoy, or one in the single-hop form, with all of App Mesh's names and the
/// settings that its Envoy had. Whatever the plan says is in it, or in a note.
///
/// Errors: what no mesh can say and only the recorded cases use.
/// Source: CD-01 to -04, AM-STA-01, AM-STA-02, AM-LOG-01, AM-LOG-02.
world::Result<Bootstrap> bootstrap(const proxy::GatewayPlan& plan, const BootstrapOptions& options);

}  // namespace envoy
