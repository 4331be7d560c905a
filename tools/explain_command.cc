#include "tools/explain_command.h"

#include <nlohmann/json.hpp>

#include "conformance/explain.h"
#include "conformance/explain_health.h"
#include "conformance/load.h"
#include "reports/text.h"
#include "tools/live_options.h"
#include "tools/output.h"

namespace tools {
namespace {

void print_json(const nlohmann::ordered_json& json) {
  using Json = nlohmann::ordered_json;
  print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

ExitStatus explain_health(const ExplainArguments& arguments) {
  if (!arguments.headers.empty()) return refuse({{{}, "--header: goes with --request", {}}});
  const auto mesh = conformance::load_mesh(arguments.meshes);
  if (!mesh) return refuse(mesh.error());
  const auto stories = conformance::explain_health(*mesh, arguments.gateway);
  if (!stories) return refuse({stories.error()});
  if (arguments.json) {
    print_json(conformance::health_json(*stories));
  } else {
    print(reports::printable_block(conformance::health_text(*stories)));
  }
  return ExitStatus::Passed;
}

}  // namespace

ExitStatus explain_command(const ExplainArguments& arguments) {
  if (arguments.health) return explain_health(arguments);
  auto request = conformance::parse_explain_request(arguments.request);
  if (!request) return refuse({request.error()});
  for (const std::string& written : arguments.headers) {
    auto header = parse_header(written);
    if (!header) return refuse({header.error()});
    request->headers.push_back(std::move(*header));
  }
  const auto mesh = conformance::load_mesh(arguments.meshes);
  if (!mesh) return refuse(mesh.error());
  const auto explanation = conformance::explain(*mesh, arguments.gateway, *request);
  if (!explanation) return refuse({explanation.error()});
  if (arguments.json) {
    print_json(conformance::explanation_json(*explanation));
  } else {
    print(reports::printable_block(conformance::explanation_text(*explanation)));
  }
  return ExitStatus::Passed;
}

}  // namespace tools
