#include "tools/tls_files.h"

#include <optional>
#include <utility>

#include "peers/tls_host.h"
#include "tools/pem_files.h"

namespace tools {

using wire::tls::Context;
using wire::tls::Settings;

namespace {

using ContextResult = world::Result<std::shared_ptr<const Context>, world::Errors>;

class Files {
 public:
  void add(std::string message) { errors_.push_back({{}, std::move(message), {}}); }

  /// Reads the certificate, its key and the authorities that are said.
  void load(const TlsArguments& arguments, Settings& settings) {
    if (arguments.certificate.empty() != arguments.key.empty()) {
      add(arguments.key.empty() ? "--cert needs --key" : "--key needs --cert");
    } else if (!arguments.key.empty()) {
      if (auto identity = read_identity(arguments.certificate, arguments.key)) {
        settings.identities.push_back(std::move(*identity));
      } else {
        for (const PemProblem& problem : identity.error()) add(problem.message);
      }
    }
    if (arguments.trust.empty()) return;
    if (auto trust = read_trust(arguments.trust)) {
      settings.trust = std::move(*trust);
    } else {
      add(trust.error());
    }
  }

  ContextResult make(Settings settings) {
    if (!errors_.empty()) return std::move(errors_);
    auto context = Context::make(std::move(settings), false);
    if (context) return std::move(*context);
    add(context.error());
    return std::move(errors_);
  }

 private:
  world::Errors errors_;
};

}  // namespace

ContextResult client_tls(const TlsArguments& arguments, const peers::RequestSpec& request) {
  Files files;
  if (!request.secure()) {
    if (!arguments.any()) return std::shared_ptr<const Context>();
    files.add("what is said of TLS needs a URL that begins with https://");
    return files.make({});
  }
  Settings settings;
  settings.role = wire::tls::Role::Client;
  if (request.protocol == peers::Protocol::Http2) settings.alpn = {"h2"};
  files.load(arguments, settings);
  if (arguments.insecure) {
    settings.trust.reset();
  } else if (arguments.trust.empty()) {
    files.add("https needs --cacert FILE with the authorities to believe, or --insecure");
  }
  std::optional<std::string> server_name;
  if (!arguments.server_name.empty()) server_name = arguments.server_name;
  peers::set_host(settings, request, server_name, settings.trust != nullptr);
  return files.make(std::move(settings));
}

ContextResult service_tls(const TlsArguments& arguments) {
  if (!arguments.any()) return std::shared_ptr<const Context>();
  Files files;
  Settings settings;
  settings.role = wire::tls::Role::Server;
  files.load(arguments, settings);
  if (arguments.certificate.empty() && arguments.key.empty()) files.add("--cacert needs --cert");
  settings.require_certificate = !arguments.trust.empty();
  return files.make(std::move(settings));
}

}  // namespace tools
