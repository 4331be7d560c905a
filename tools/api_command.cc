#include "tools/api_command.h"

#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "control/accounts.h"
#include "control/server.h"
#include "control/sqlite_store.h"
#include "document/file.h"
#include "document/parse.h"
#include "live/runtime.h"
#include "mesh/api/memory_store.h"
#include "reports/text.h"
#include "tools/live_options.h"
#include "tools/output.h"

namespace tools {
namespace {

constexpr std::uintmax_t kMostAccountsBytes = 1 << 20;

world::Result<control::Accounts, world::Errors> load_accounts(const std::string& path) {
  const auto text = document::read_file(path, kMostAccountsBytes);
  if (!text) return world::Errors{text.error()};
  const auto document = document::parse(*text, path);
  if (!document) return document.error();
  return control::read_accounts(*document);
}

world::Result<std::unique_ptr<mesh::api::Store>> open_store(const std::string& path) {
  if (path.empty()) return std::unique_ptr<mesh::api::Store>(new mesh::api::MemoryStore);
  auto opened = control::SqliteStore::open(path);
  if (!opened) return opened.error();
  return std::unique_ptr<mesh::api::Store>(std::move(*opened));
}

/// What the command line says, as far as it can be done. The rest goes to the errors.
control::ServerOptions options_of(const ApiServeArguments& arguments, world::Errors& errors) {
  control::ServerOptions options;
  options.port = arguments.port;
  if (const auto address = parse_listen_address(arguments.listen)) {
    options.address = *address;
  } else {
    errors.push_back(address.error());
  }
  if (!arguments.accounts.empty()) {
    auto accounts = load_accounts(arguments.accounts);
    if (accounts) {
      options.accounts = std::move(*accounts);
    } else {
      errors.insert(errors.end(), accounts.error().begin(), accounts.error().end());
    }
  }
  options.api.era = mesh::era_from_text(arguments.era).value_or(mesh::Era::SeedB);
  options.api.region = arguments.region;
  if (arguments.no_quotas) options.api.quotas.reset();
  options.calls_per_second = arguments.calls_per_second;
  options.most_connections = arguments.connections;
  return options;
}

}  // namespace

ExitStatus api_serve_command(const ApiServeArguments& arguments) {
  world::Errors errors;
  control::ServerOptions options = options_of(arguments, errors);
  // Not made, not locked, if there is nothing to serve.
  if (!errors.empty()) return refuse(errors);
  auto store = open_store(arguments.store);
  if (!store) return refuse({store.error()});

  live::raise_descriptor_limit();
  const std::string callers =
      options.accounts ? fmt::format("{} access keys", options.accounts->keys.size())
                       : fmt::format("any signature, as account {}", options.default_account);
  control::Server server(**store, std::move(options));
  const auto port = server.start();
  if (!port) return refuse({port.error()});
  complain(reports::printable(fmt::format(
      "api serves at http://{}:{}, region {}, takes {}; keeps state in {}", arguments.listen, *port,
      arguments.region, callers, arguments.store.empty() ? "memory" : arguments.store)));
  server.run();
  return ExitStatus::Passed;
}

}  // namespace tools
