#include "tools/export_command.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "conformance/explain.h"
#include "conformance/load.h"
#include "envoy/bootstrap.h"
#include "envoy/single_hop.h"
#include "proxy/compile.h"
#include "reports/text.h"
#include "reports/write_file.h"
#include "tools/gateway_setup.h"
#include "tools/live_options.h"
#include "tools/output.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

/// The gateway's plan with the services where the command line says, and what is to be said of it.
struct Planned {
  proxy::GatewayPlan plan;
  std::vector<std::string> notes;
};

world::Result<Planned, world::Errors> plan_of(const ExportArguments& arguments) {
  const auto mesh = conformance::load_mesh(arguments.meshes);
  if (!mesh) return mesh.error();
  const auto gateway = conformance::choose_gateway(*mesh, arguments.gateway, {});
  if (!gateway) return world::Errors{gateway.error()};
  const auto compiled =
      proxy::compile(*mesh, (*gateway)->name, {.single_hop = arguments.single_hop});
  if (!compiled) return world::Errors{compiled.error()};
  Planned out{**compiled, {}};
  if (arguments.single_hop) out.notes = envoy::single_hop_notes(*mesh, **gateway);
  std::vector<ServicePlace> places;
  world::Errors errors = parse_services(arguments.services, places);
  const world::Errors unplaced = place_services(out.plan, places);
  errors.insert(errors.end(), unplaced.begin(), unplaced.end());
  if (!errors.empty()) return errors;
  return out;
}

/// What goes into the folder, "notes.txt" among it, by its path there.
std::map<std::string, std::string> texts_of(const envoy::Bootstrap& bootstrap) {
  std::map<std::string, std::string> texts;
  for (const auto& [path, json] : bootstrap.files) {
    texts[path] = json.dump(2, ' ', false, envoy::Json::error_handler_t::replace) + "\n";
  }
  std::string& notes = texts["notes.txt"];
  for (const std::string& note : bootstrap.notes) notes += reports::printable(note) + "\n";
  return texts;
}

std::optional<world::Error> write(const fs::path& folder, const envoy::Bootstrap& bootstrap) {
  for (const auto& [name, text] : texts_of(bootstrap)) {
    const fs::path path = folder / name;
    std::error_code why;
    fs::create_directories(path.parent_path(), why);
    if (why) {
      return world::Error{
          {}, "cannot make this folder: " + why.message(), {.file = path.parent_path().string()}};
    }
    if (auto error = reports::write_whole(path, text)) return error;
  }
  return std::nullopt;
}

}  // namespace

ExitStatus export_envoy_command(const ExportArguments& arguments) {
  const auto planned = plan_of(arguments);
  if (!planned) return refuse(planned.error());
  std::error_code why;
  const fs::path folder = fs::absolute(arguments.folder, why).lexically_normal();
  if (why) return refuse({{"--output", "cannot say where this is: " + why.message(), {}}});
  auto bootstrap = envoy::bootstrap(planned->plan, {.folder = folder.string()});
  if (!bootstrap) return refuse({bootstrap.error()});
  bootstrap->notes.insert(bootstrap->notes.begin(), planned->notes.begin(), planned->notes.end());
  if (const auto error = write(folder, *bootstrap)) return refuse({*error});
  for (const std::string& note : bootstrap->notes) complain("note: " + reports::printable(note));
  complain(reports::printable(fmt::format("wrote {}", (folder / "envoy.json").string())));
  return ExitStatus::Passed;
}

}  // namespace tools
