#include "tools/client_command.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "live/runtime.h"
#include "live/world.h"
#include "peers/client.h"
#include "reports/text.h"
#include "tools/live_options.h"
#include "tools/output.h"

namespace tools {
namespace {

using Json = nlohmann::ordered_json;

/// Why there is no answer; of TLS with what went wrong in it.
std::string failure_of(const peers::RequestOutcome& outcome) {
  std::string text(outcome.failure);
  if (outcome.tls == nullptr || !outcome.tls->failure) return text;
  const wire::tls::Failure& failure = *outcome.tls->failure;
  if (!failure.reason.empty()) text += ": " + failure.reason;
  if (!failure.detail.empty()) text += ", " + failure.detail;
  return text;
}

Json outcome_json(const peers::RequestOutcome& outcome) {
  Json json;
  json["request"] = outcome.id;
  if (outcome.ok()) {
    json["status"] = outcome.status;
    json["headers"] = Json::array();
    for (const peers::HeaderLine& line : peers::header_lines(outcome.head)) {
      json["headers"].push_back({line.name, line.value});
    }
    json["body"] = outcome.body;
  } else {
    json["failure"] = failure_of(outcome);
  }
  if (outcome.tls != nullptr && outcome.tls->agreed) {
    const wire::tls::Agreed& agreed = *outcome.tls->agreed;
    json["tls"] = {{"version", wire::tls::text_of(agreed.version)},
                   {"cipher", agreed.cipher},
                   {"alpn", agreed.alpn},
                   {"certificate", agreed.peer}};
  }
  json["seconds"] = std::chrono::duration<double>(outcome.ended - outcome.asked).count();
  return json;
}

std::string outcome_text(const peers::RequestOutcome& outcome) {
  if (!outcome.ok()) return reports::printable(failure_of(outcome)) + "\n";
  std::string text(outcome.head);
  std::erase(text, '\r');
  text += outcome.body;
  if (text.back() != '\n') text += '\n';
  return reports::printable_block(text);
}

/// Keeps as many requests under way as there may be connections, until all are through.
class Sender final : public peers::ClientObserver {
 public:
  Sender(live::Runtime& runtime, world::World& world, const ClientArguments& arguments,
         peers::RequestSpec request, std::shared_ptr<const wire::tls::Context> tls)
      : runtime_(runtime),
        arguments_(arguments),
        request_(std::make_shared<const peers::PreparedRequest>(std::move(request))),
        client_(world, {.policy = arguments.connections == 1 ? peers::ConnectionPolicy::One
                                                             : peers::ConnectionPolicy::Many,
                        .observer = this,
                        .tls = [tls](const peers::RequestSpec&) { return tls; }}) {}

  void start() {
    const std::uint64_t first = std::min(arguments_.count, arguments_.connections);
    for (std::uint64_t i = 0; i < first; ++i) client_.send(request_);
  }
  bool all_answered() const { return client_.counts().answered == arguments_.count; }
  bool under_way() const {
    return client_.counts().waiting() != 0 || client_.counts().sent < arguments_.count;
  }

 private:
  void on_outcome(const peers::RequestOutcome& outcome) override {
    if (arguments_.json) {
      print(outcome_json(outcome).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } else {
      print(outcome_text(outcome));
    }
    if (client_.counts().sent < arguments_.count) {
      client_.send(request_);
    } else if (client_.counts().waiting() == 0) {
      runtime_.stop();
    }
  }

  live::Runtime& runtime_;
  const ClientArguments& arguments_;
  std::shared_ptr<const peers::PreparedRequest> request_;
  peers::Client client_;
};

}  // namespace

ExitStatus client_command(const ClientArguments& arguments) {
  world::Errors errors;
  auto request = peers::parse_url(arguments.method, arguments.url, true);
  if (!request) errors.push_back(request.error());
  std::shared_ptr<const wire::tls::Context> tls;
  if (request) {
    auto context = client_tls(arguments.tls, *request);
    if (context) {
      tls = *context;
    } else {
      errors.insert(errors.end(), context.error().begin(), context.error().end());
    }
  }
  peers::HeaderLines headers;
  for (const std::string& written : arguments.headers) {
    auto header = parse_header(written);
    if (header) {
      headers.push_back({std::move(header->first), std::move(header->second)});
    } else {
      errors.push_back(header.error());
    }
  }
  if (!errors.empty()) return refuse(errors);
  request->headers = std::move(headers);
  request->body = arguments.body;
  request->timeout = std::chrono::duration_cast<world::Duration>(
      std::chrono::duration<double>(arguments.timeout_seconds));

  live::raise_descriptor_limit();
  live::Runtime runtime;
  runtime.stop_on_signals();
  live::World world(runtime, {.name = "client", .seed = std::nullopt, .listen_address = 0});
  Sender sender(runtime, world, arguments, std::move(*request), std::move(tls));
  sender.start();
  runtime.run();
  // At once: a name that is being looked up would be waited for.
  if (sender.under_way()) std::_Exit(static_cast<int>(ExitStatus::Interrupted));
  return sender.all_answered() ? ExitStatus::Passed : ExitStatus::Failed;
}

}  // namespace tools
