#pragma once

#include <string>

#include "proxy/plan.h"

namespace envoy {

/// A secret by SDS or of ACM, in files that whoever starts Envoy must fill.
struct SecretFile {
  proxy::SecretName name;
  bool trust = false;
  std::string pem;       ///< An absolute path.
  std::string key;       ///< The same; empty for trust.
  std::string resource;  ///< What names them: moved into place anew, they are read again.
};

}  // namespace envoy
