#include "tools/service_command.h"

#include <chrono>

#include <fmt/format.h>

#include "live/runtime.h"
#include "live/world.h"
#include "peers/service.h"
#include "reports/text.h"
#include "tools/live_options.h"
#include "tools/output.h"

namespace tools {
ExitStatus service_command(const ServiceArguments& arguments) {
  world::Errors errors;
  const auto address = parse_listen_address(arguments.listen);
  if (!address) errors.push_back(address.error());
  peers::Answer answer;
  answer.status = arguments.respond;
  answer.body = arguments.body;
  answer.after = std::chrono::duration_cast<world::Duration>(
      std::chrono::duration<double>(arguments.after_seconds));
  for (const std::string& written : arguments.headers) {
    auto header = parse_header(written);
    if (header) {
      answer.headers.push_back({std::move(header->first), std::move(header->second)});
    } else {
      errors.push_back(header.error());
    }
  }
  auto context = service_tls(arguments.tls);
  if (!context) errors.insert(errors.end(), context.error().begin(), context.error().end());
  if (!errors.empty()) return refuse(errors);

  live::raise_descriptor_limit();
  live::Runtime runtime;
  runtime.stop_on_signals();
  live::World world(runtime,
                    {.name = arguments.name, .seed = std::nullopt, .listen_address = *address});
  peers::ServiceOptions options;
  options.service = arguments.name;
  options.endpoint = arguments.endpoint.empty() ? arguments.name : arguments.endpoint;
  options.port = arguments.port;
  options.script = peers::prepare(peers::Behaviour::always(std::move(answer)));
  if (*context != nullptr) options.tls = [with = *context] { return with; };
  peers::Service service(world, std::move(options));
  if (const auto started = service.start(); !started) return refuse({started.error()});
  complain(reports::printable(fmt::format("service {} serves at {}", arguments.name,
                                          world.listening().front().local.text())));
  runtime.run();
  return ExitStatus::Passed;
}

}  // namespace tools
