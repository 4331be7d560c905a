#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wire/tls/material.h"
#include "world/result.h"

namespace tools {

/// What is wrong with a certificate and its key, in files of PEM.
struct PemProblem {
  enum class Of : std::uint8_t { Certificate, Key, Pair };
  Of of = Of::Pair;
  std::string message;  ///< With the names of the files.
};

/// Errors: a file that cannot be read, each of both; what they hold is no certificate with its key.
world::Result<std::shared_ptr<const wire::tls::Identity>, std::vector<PemProblem>> read_identity(
    const std::string& certificate, const std::string& key);

/// Errors: a file that cannot be read, or has no certificates; with its name.
world::Result<std::shared_ptr<const wire::tls::TrustBundle>, std::string> read_trust(
    const std::string& path);

}  // namespace tools
