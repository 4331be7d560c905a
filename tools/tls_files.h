#pragma once

#include <memory>
#include <string>

#include "peers/request_spec.h"
#include "wire/tls/context.h"
#include "world/result.h"

namespace tools {

/// What a command line says of TLS: paths of files of PEM, empty where nothing is said.
struct TlsArguments {
  std::string certificate;  ///< What it shows of itself, with its chain.
  std::string key;
  std::string trust;      ///< Authorities of the other end.
  bool insecure = false;  ///< Of a client: the server is not verified.
  std::string server_name;

  bool any() const {
    return insecure || !certificate.empty() || !key.empty() || !trust.empty() ||
           !server_name.empty();
  }
};

/// What a client speaks with a server of https: it verifies its chain, and that its certificate is
/// the host's. Null for http.
///
/// Errors, all at once: files that cannot be used, a certificate without its key, neither
/// authorities nor leave to do without, settings beside a URL of http.
world::Result<std::shared_ptr<const wire::tls::Context>, world::Errors> client_tls(
    const TlsArguments& arguments, const peers::RequestSpec& request);

/// What a service speaks; with authorities its clients must show a certificate. Null: plain text.
/// Errors: as above.
world::Result<std::shared_ptr<const wire::tls::Context>, world::Errors> service_tls(
    const TlsArguments& arguments);

}  // namespace tools
