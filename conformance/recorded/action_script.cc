#include "conformance/recorded/action_script.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "conformance/latin1.h"
#include "conformance/recorded/action_plan.h"
#include "conformance/recorded/h2_frames.h"
#include "conformance/recorded/pace.h"
#include "conformance/recorded/placeholders.h"

namespace conformance::recorded {

using nlohmann::json;
using namespace std::chrono_literals;

namespace {

using Protocol = ActionClient::Protocol;
using Fin = ActionClient::End;

const ActionPlaces kPlaces{};

/// How long anything may take that has no limit of its own.
constexpr world::Duration kPatience = 10s;
constexpr world::Duration kHandshake = 2s;
constexpr world::Duration kLongestSettle = 3s;

double seconds(world::Duration time) {
  return std::chrono::duration<double>(time).count();
}

/// To that grain.
double rounded(world::Duration time, double grain) {
  // Whole multiples of the grain's reciprocal print as they are meant.
  const double per_second = std::round(1 / grain);
  return std::round(seconds(time) * per_second) / per_second;
}

world::Duration millis(const json& number) {
  return std::chrono::microseconds(std::llround(number.get<double>() * 1000));
}

std::string status_line(const std::string& received) {
  return received.substr(0, received.find("\r\n"));
}

bool is_printable(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';
  });
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

/// One verb: its name is the member that decides, the others are its arguments.
struct ActionScript::Verb {
  const char* name;
  std::vector<const char*> arguments;
  json (ActionScript::*run)(const json& step);
};

const std::vector<ActionScript::Verb>& ActionScript::verbs() {
  using A = ActionScript;
  // `wait_ms` and `at_ms` come last: they are arguments of others, too.
  static const std::vector<Verb> kVerbs = {
      {"gateway", {}, &A::set_gateway},
      {"upstream", {}, &A::set_upstream},
      {"start", {"wait_ready"}, &A::start},
      {"stop", {}, &A::stop},
      {"secret_file", {"secrets"}, &A::secret_file},
      {"connect", {"proto", "tls"}, &A::connect},
      {"exchange", {}, &A::exchange},
      {"ticket", {}, &A::ticket},
      {"tls_close", {}, &A::tls_close},
      {"renegotiate", {}, &A::renegotiate},
      {"send", {"bytes", "hex", "chunk", "gap_ms", "client_hello"}, &A::send},
      {"request", {"id", "wait_ms"}, &A::request},
      {"read_head", {"timeout_ms"}, &A::read_head},
      {"read_to_end", {"timeout_ms", "clock"}, &A::read_to_end},
      {"shutdown_write", {}, &A::shutdown_write},
      {"close", {}, &A::close},
      {"try_connect", {}, &A::try_connect},
      {"settle", {}, &A::settle},
      {"watch_ms", {"drop", "clock", "headers"}, &A::watch},
      {"mark", {}, &A::mark},
      {"admin", {}, &A::admin},
      {"signal", {}, &A::signal},
      {"wait_exit_ms", {}, &A::wait_exit},
      {"respond", {"status"}, &A::respond},
      {"wait_until_zero", {"clock", "round_s"}, &A::wait_until_zero},
      {"run_until_probes_done", {"most_ms"}, &A::run_until_probes_done},
      {"requests_one_by_one",
       {"id_prefix", "first", "new_connection_each"},
       &A::requests_one_by_one},
      {"steady_requests", {"id_prefix", "pause_ms", "for_ms", "until_status"}, &A::steady_requests},
      {"poll_until_listening", {"most_ms", "clock", "round_s"}, &A::poll_until_listening},
      {"read",
       {"fields", "form", "names", "prefix", "zeros", "full_names", "since", "drop", "kinds", "id",
        "name", "headers"},
       &A::read},
      {"at_ms", {"since", "new_connection_request"}, &A::at_ms},
      {"wait_ms", {}, &A::wait}};
  return kVerbs;
}

ActionScript::ActionScript(const ActionChance& chance)
    : simulation_({.seed = chance.seed, .default_link = {}}),
      client_host_(simulation_.add_host("client")),
      gateway_host_(simulation_.add_host("gateway")),
      first_host_(chance.first_host),
      events_(client_host_),
      agenda_(client_host_),
      certificates_(client_host_.calendar()) {}

ActionScript::~ActionScript() = default;

json ActionScript::run(const json& step) {
  const auto& all = verbs();
  const auto verb = std::find_if(all.begin(), all.end(),
                                 [&](const Verb& each) { return step.contains(each.name); });
  if (verb == all.end()) throw NotSupported("the step " + step.dump());
  for (const auto& [name, value] : step.items()) {
    const bool known =
        name == verb->name || name == "at" || name == "note" ||
        std::find(verb->arguments.begin(), verb->arguments.end(), name) != verb->arguments.end();
    if (!known) throw NotSupported(std::string("the argument ") + name + " of " + verb->name);
  }
  previous_step_at_ = step_at_;
  step_at_ = now();
  return (this->*verb->run)(step);
}

void ActionScript::finish() {
  run_until([this] { return pending_ == 0; }, kPatience);
}

// --- Time ------------------------------------------------------------------------------------

bool ActionScript::run_until(const std::function<bool()>& done, world::Duration most) {
  return recorded::run_until(
      simulation_,
      [&] {
        observe();
        return done();
      },
      now() + most);
}

void ActionScript::run_for(world::Duration time) {
  run_until([] { return false; }, time);
}

/// Notes each probe that came to its end, with what is known then.
void ActionScript::observe() {
  if (gateway_ == nullptr || !plan_->ingress.front().clusters.front().health_check) return;
  const proxy::ClusterState cluster = gateway_->clusters().front();
  const proxy::HealthCounts& counts = cluster.health;
  failed_probes_ = counts.failures;
  const std::uint64_t done = counts.successes + counts.failures;
  while (probe_rows_.size() < done) {
    const ActionUpstream* const upstream =
        upstreams_.empty() ? nullptr : upstreams_.begin()->second.get();
    const bool healthy = !cluster.hosts.empty() && cluster.hosts.front().healthy() &&
                         !cluster.hosts.front().excluded;
    probe_rows_.push_back(
        {{"done", probe_rows_.size() + 1},
         {"answer", upstream == nullptr ? "" : upstream->answer_word(probe_rows_.size())},
         {"success", counts.successes},
         {"failure", counts.failures},
         {"network_failure", counts.network_failures},
         {"state", healthy ? "healthy" : "unhealthy"}});
  }
}

json ActionScript::wait(const json& step) {
  run_for(millis(step["wait_ms"]));
  return {};
}

json ActionScript::settle(const json& step) {
  const world::TimePoint begun = now();
  const world::Duration quiet = millis(step["settle"]);
  while (now() - begun < kLongestSettle) {
    const world::TimePoint until = std::max(events_.last_at() + quiet, begun + 50ms);
    if (until <= now()) break;
    run_for(std::min(until, begun + kLongestSettle) - now());
  }
  return {};
}

json ActionScript::watch(const json& step) {
  const std::size_t first = events_.all().size();
  world::TimePoint from = now();
  const std::string clock = step.value("clock", "this-step");
  if (clock == "last-response") {
    for (const Event& event : events_.all()) {
      if (event.is("response")) from = event.at;
    }
  } else if (clock != "this-step") {
    throw NotSupported("the clock " + clock);
  }
  run_for(millis(step["watch_ms"]));
  json list = json::array();
  for (std::size_t i = first; i < events_.all().size(); ++i) {
    const Event& event = events_.all()[i];
    if (is_dropped(event, step)) continue;
    list.push_back({{"t", rounded(event.at - from, 0.1)}, {"event", event_words(event, step)}});
  }
  return list;
}

json ActionScript::mark(const json& step) {
  marks_[step["mark"].get<std::string>()] = events_.all().size();
  return {};
}

// --- Setting up, and the process ---------------------------------------------------------------

json ActionScript::set_gateway(const json& step) {
  gateway_settings_ = step["gateway"];
  upstream_settings_.clear();
  return {};
}

json ActionScript::set_upstream(const json& step) {
  const json& settings = step["upstream"];
  if (auto reason = ActionUpstream::unsupported(settings); !reason.empty()) {
    throw NotSupported(reason);
  }
  upstream_settings_[settings.value("host", std::size_t{1})] = settings;
  return {};
}

json ActionScript::start(const json& step) {
  ActionPlaces places = kPlaces;
  places.first_host = first_host_;
  places.log = "/access-log-" + std::to_string(++processes_);
  places.connection_log = "/connection-log-" + std::to_string(processes_);
  auto plan = action_plan(gateway_settings_, places);
  if (!plan) throw NotSupported(plan.error());
  for (const auto& [name, port] : (*plan)->ingress.front().clusters.front().endpoints) {
    if (simulation_.find_host(name) == nullptr) simulation_.add_host(name);
  }
  upstreams_.clear();
  probe_rows_ = json::array();
  failed_probes_ = 0;
  for (const auto& [number, settings] : upstream_settings_) {
    sim::Host* const host = simulation_.find_host(action_host(number));
    if (host == nullptr) throw NotSupported("an upstream that is no endpoint");
    auto& upstream = upstreams_[number];
    upstream = std::make_unique<ActionUpstream>(
        *host, kPlaces.upstream_port, settings, events_, [this] { return failed_probes_; },
        certificates_);
    upstream->start();
  }
  plan_ = *plan;
  exited_at_ = signalled_at_ = std::nullopt;
  started_at_ = now();
  for (const proxy::HopPlan& hop : plan_->ingress) {
    if (!hop.tls) continue;
    for (const proxy::SecretName& name : hop.tls->certificates) {
      if (auto wrong = secrets_.problem(name); !wrong.empty()) {
        return {{"start", "refused"}, {"message", json::array({wrong})}};
      }
    }
  }
  gateway_ = std::make_unique<proxy::Gateway>(gateway_host_, plan_, &secrets_);
  if (auto started = gateway_->start(); !started) {
    gateway_.reset();
    return {{"start", "refused"}, {"message", json::array({started.error().message})}};
  }
  if (step.value("wait_ready", true)) {
    run_until([this] { return gateway_->ready_text() == "LIVE"; }, 100 * kPatience);
    ready_at_ = now();
  }
  return {{"start", "ok"}};
}

json ActionScript::stop(const json&) {
  exit();
  run_for(100ms);
  upstreams_.clear();
  return {};
}

/// The process ends: all that it has open is closed.
void ActionScript::exit() {
  if (gateway_ == nullptr) return;
  gateway_.reset();
  exited_at_ = now();
}

json ActionScript::admin(const json& step) {
  using proxy::DrainMode;
  if (gateway_ == nullptr) return {};
  const std::string request = step["admin"];
  std::string status = "200";
  std::string body = "OK";
  if (request == "POST /drain_listeners") {
    gateway_->drain(DrainMode::Immediate);
  } else if (request == "POST /drain_listeners?graceful") {
    gateway_->drain(DrainMode::Graceful);
  } else if (request == "POST /drain_listeners?graceful&skip_exit") {
    gateway_->drain(DrainMode::GracefulKeepOpen);
  } else if (request == "POST /healthcheck/fail" || request == "POST /healthcheck/ok") {
    gateway_->set_failing(request == "POST /healthcheck/fail");
  } else if (request == "GET /ready") {
    body = gateway_->ready_text();
    if (body != "LIVE") status = "503";
  } else if (request == "POST /quitquitquit") {
    signalled_at_ = now();
    agenda_.after({}, [this] { exit(); });
    run_for({});
  } else {
    throw NotSupported("the admin request " + request);
  }
  return {{"status_and_body", status + " " + body}, {"body", body}};
}

json ActionScript::signal(const json& step) {
  const std::string name = step["signal"];
  if (name != "SIGTERM" && name != "SIGINT") throw NotSupported("the signal " + name);
  signalled_at_ = now();
  exit();
  return {};
}

json ActionScript::wait_exit(const json& step) {
  run_until([this] { return exited_at_.has_value(); }, millis(step["wait_exit_ms"]));
  if (!exited_at_) return {};
  const world::Duration took = *exited_at_ - signalled_at_.value_or(step_at_);
  const json within = took < 500ms ? json("<0.5") : json(rounded(took, 0.5));
  return {{"code", 0}, {"within_s", within}};
}

// --- The client --------------------------------------------------------------------------------

std::unique_ptr<ActionClient> ActionScript::new_client(const std::string& name, Protocol protocol,
                                                       const json& tls) {
  const world::Endpoint gateway{gateway_host_.address(), kPlaces.port};
  if (!tls.is_null()) {
    const wire::tls::Session* resumed = nullptr;
    if (tls.contains("resume_from")) {
      if (const ActionClient* const from = find_client(tls["resume_from"])) {
        resumed = from->session();
      }
    }
    return std::make_unique<ActionClient>(client_host_, gateway, name, protocol, events_,
                                          client_context(tls, certificates_), resumed);
  }
  return std::make_unique<ActionClient>(client_host_, gateway, name, protocol, events_);
}

ActionClient& ActionScript::open_client(const std::string& name, Protocol protocol) {
  other_clients_.push_back(new_client(name, protocol));
  ActionClient& client = *other_clients_.back();
  run_until([&] { return client.settled(); }, kPatience);
  return client;
}

ActionClient* ActionScript::find_client(const json& name) {
  const auto found = clients_.find(name.get<std::string>());
  return found == clients_.end() ? nullptr : found->second.get();
}

json ActionScript::connect(const json& step) {
  const std::string proto = step.value("proto", "");
  if (!proto.empty() && proto != "http1" && proto != "http2") {
    throw NotSupported("a client of protocol " + proto);
  }
  const Protocol protocol = proto == "http1"   ? Protocol::Http1
                            : proto == "http2" ? Protocol::Http2
                                               : Protocol::Raw;
  const std::string name = step["connect"];
  auto& client = clients_[name];
  client = new_client(name, protocol, step.value("tls", json()));
  run_until([&] { return client->settled(); }, step.contains("tls") ? kHandshake : kPatience);
  if (const wire::tls::TlsTransport* const tls = client->tls()) {
    json result = {{"tcp", "connected"}, {"handshake", handshake_result(*tls)}};
    const json& shook = result["handshake"];
    result["outcome"] = shook.is_object() && shook.contains("alert")
                            ? json("alert " + std::to_string(shook["alert"].get<int>()))
                            : shook;
    if (!tls->secured()) return result;
    const wire::tls::Agreed agreed = tls->agreed();
    result["version"] = text_of(agreed.version);
    result["alpn"] = agreed.alpn.empty() ? json() : json(agreed.alpn);
    result["cert"] = agreed.peer;
    result["cipher"] = agreed.cipher;
    result["reused"] = agreed.resumed;
    result["secure_renegotiation"] = tls->offers_secure_renegotiation();
    return result;
  }
  if (!client->connected()) return {{"tcp", "refused"}};
  if (protocol == Protocol::Http2) {
    client->greet();
    run_for(50ms);
  }
  return {{"tcp", "connected"}};
}

/// One request over TLS, and what came of it. Source: the vocabulary, section 3.3.
json ActionScript::exchange(const json& step) {
  ActionClient* const client = find_client(step["exchange"]);
  if (client == nullptr || client->tls() == nullptr || !client->tls()->secured()) return {};
  const auto ended = [&](const char* when) -> json {
    const wire::tls::Failure* const failure = client->tls()->failure();
    if (failure != nullptr && failure->alert_received) {
      json result = alert_result(*failure->alert_received);
      if (when != nullptr) result["when"] = when;
      return result;
    }
    if (failure != nullptr && !failure->reason.empty()) return {{"error", failure->reason}};
    if (client->end() == Fin::Reset) return {{"error", "rst"}};
    return client->tls()->closed_by_notify() ? "closed (close_notify)" : "closed";
  };
  const wire::tls::Agreed agreed = client->tls()->agreed();
  if (agreed.version == wire::tls::Version::Tls13) {
    run_until([&] { return client->over(); }, 300ms);
    if (client->over()) return ended("before the request was sent");
  }
  if (client->over()) return ended(nullptr);
  const std::size_t from = client->received().size();
  if (agreed.alpn == "h2") {
    client->greet();
    const auto settings = [&] { return client->received().size() >= from + 9; };
    run_until([&] { return settings() || client->over(); }, kPatience);
    return settings() ? json("h2 settings frame") : ended(nullptr);
  }
  client->send("GET /x HTTP/1.1\r\nhost: svc.example\r\nx-id: q\r\n\r\n");
  const auto whole = [&] { return client->response_end(from) != std::string::npos; };
  run_until([&] { return whole() || client->over(); }, kPatience);
  if (whole()) {
    const std::string answer = client->received().substr(from, client->response_end(from) - from);
    const std::size_t blank = answer.find("\r\n\r\n");
    return answer.substr(9, 3) + " " + to_utf8(answer.substr(blank + 4));
  }
  return client->over() ? ended(nullptr) : json("no answer");
}

json ActionScript::ticket(const json& step) {
  const ActionClient* const client = find_client(step["ticket"]);
  const wire::tls::Session* const session = client != nullptr ? client->session() : nullptr;
  const bool has = session != nullptr && session->has_ticket();
  return {{"has_ticket", has}, {"lifetime_hint_s", has ? session->lifetime_hint() : 0}};
}

json ActionScript::tls_close(const json& step) {
  ActionClient* const client = find_client(step["tls_close"]);
  if (client == nullptr || client->tls() == nullptr || client->over()) return {};
  client->tls()->notify();
  run_until([&] { return client->over(); }, kPatience);
  return client->tls()->closed_by_notify() ? "peer answered close_notify" : "no close_notify";
}

json ActionScript::renegotiate(const json& step) {
  ActionClient* const client = find_client(step["renegotiate"]);
  if (client == nullptr || client->tls() == nullptr || client->over()) return {};
  client->tls()->renegotiate();
  run_for(100ms);
  return client->tls()->refused_renegotiation() ? "no renegotiation" : "other";
}

json ActionScript::secret_file(const json& step) {
  secrets_.write(step["secret_file"], step.at("secrets"));
  return {};
}

json ActionScript::send(const json& step) {
  ActionClient* const client = find_client(step["send"]);
  if (client == nullptr || client->over()) return {};
  std::string bytes;
  if (step.contains("client_hello")) {
    bytes = wire::tls::TlsTransport::first_flight(
        client_host_, client_context(step["client_hello"], certificates_));
  } else if (step.contains("hex")) {
    bytes = h2::from_hex(step["hex"].get<std::string>());
  } else {
    bytes = to_latin1(step.at("bytes").get<std::string>());
  }
  const std::size_t chunk = step.value("chunk", std::max<std::size_t>(bytes.size(), 1));
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    if (at > 0) run_for(millis(step.value("gap_ms", json(0))));
    client->send(std::string_view(bytes).substr(at, chunk));
  }
  return {};
}

const Answer* ActionScript::ask(ActionClient& client, const std::string& id, world::Duration most) {
  client.request(id);
  run_until([&] { return client.answer(id) != nullptr || client.over(); }, most);
  return client.answer(id);
}

json ActionScript::request(const json& step) {
  ActionClient* const client = find_client(step["request"]);
  if (client == nullptr || client->over()) return {};
  const std::string id = step.at("id");
  if (!step.contains("wait_ms")) {
    client->request(id);
    return {};
  }
  return answer_result(id, ask(*client, id, millis(step["wait_ms"])));
}

json ActionScript::answer_result(const std::string& id, const Answer* answer) const {
  json result = {{"status", nullptr}, {"body", nullptr}, {"headers", nullptr}};
  if (answer != nullptr) {
    result = {{"status", answer->status}, {"body", answer->body}, {"headers", answer->headers}};
  }
  const std::size_t host = host_of(id);
  result["host"] = host == 0 ? json() : json(host);
  for (const ActionLogLine& line : log()) {
    if (line.id != id || line.fields.at("flags") == "-") continue;
    result["flags_and_details"] = line.fields.at("flags") + " " + line.fields.at("details");
  }
  return result;
}

std::size_t ActionScript::host_of(const std::string& id) const {
  for (const auto& [number, upstream] : upstreams_) {
    if (upstream->find(id) != nullptr) return number;
  }
  return 0;
}

json ActionScript::read_head(const json& step) {
  ActionClient* const client = find_client(step["read_head"]);
  if (client == nullptr || client->closed()) return {};
  const auto whole = [&] { return client->received().find("\r\n\r\n") != std::string::npos; };
  run_until([&] { return whole() || client->over(); },
            millis(step.value("timeout_ms", json(3000))));
  return {{"status_line", whole() ? json(status_line(client->received())) : json()}};
}

json ActionScript::read_to_end(const json& step) {
  ActionClient* const client = find_client(step["read_to_end"]);
  if (client == nullptr || client->closed()) return {};
  const world::Duration quiet = millis(step.value("timeout_ms", json(3000)));
  while (client->end() == Fin::No) {
    const world::TimePoint until = std::max(step_at_, client->heard_at()) + quiet;
    if (until <= now()) break;
    run_until([&] { return client->over(); }, until - now());
  }
  const std::string clock = step.value("clock", "this-step");
  world::TimePoint from = step_at_;
  if (clock == "last-send") {
    from = client->sent_at();
  } else if (clock == "connect") {
    from = client->connected_at();
  } else if (clock != "this-step") {
    throw NotSupported("the clock " + clock);
  }
  const bool ended = client->end() != Fin::No;
  const world::Duration after = (ended ? client->ended_at() : now()) - from;
  const std::string& bytes = client->received();
  const wire::tls::TlsTransport* const tls = client->tls();
  const std::string close = tls != nullptr && tls->closed_by_notify() ? "close_notify"
                            : tls != nullptr && client->end() == Fin::Fin
                                ? "fin-without-close_notify"
                            : client->end() == Fin::Fin   ? "fin"
                            : client->end() == Fin::Reset ? "rst"
                                                          : "still-open";
  json result = {{"close", close},
                 {"after_s", rounded(after, 0.1)},
                 {"any", !bytes.empty()},
                 {"count_200", count_of(bytes, "HTTP/1.1 200")},
                 {"has_connection_close", count_of(bytes, "connection: close\r\n") > 0}};
  if (is_printable(bytes)) {
    const Placeholders placeholders("", std::to_string(kPlaces.port));
    result["received"] = to_utf8(placeholders.message(bytes));
  } else {
    result["received_hex"] = h2::to_hex(bytes);
  }
  const std::size_t blank = bytes.find("\r\n\r\n");
  result["body"] = to_utf8(blank == std::string::npos ? "" : bytes.substr(blank + 4));
  result["status_line"] = bytes.empty() ? json() : json(to_utf8(status_line(bytes)));
  result["close_or_kept_open"] = !ended && !bytes.empty() ? "kept open" : close;
  if (ended && after > 300ms) result["late_close_after_s"] = result["after_s"];
  return result;
}

json ActionScript::shutdown_write(const json& step) {
  if (ActionClient* const client = find_client(step["shutdown_write"])) client->finish();
  return {};
}

json ActionScript::close(const json& step) {
  if (ActionClient* const client = find_client(step["close"])) client->close();
  return {};
}

json ActionScript::try_connect(const json&) {
  ActionClient& client = open_client("", Protocol::Raw);
  client.close();
  return client.connected() ? "accepted" : "refused";
}

json ActionScript::requests_one_by_one(const json& step) {
  const std::string prefix = step.value("id_prefix", "t");
  const std::size_t first = step.value("first", std::size_t{0});
  json tally = json::object();
  std::vector<std::size_t> per_host(hosts());
  ActionClient* client = nullptr;
  for (std::size_t i = 0; i < step["requests_one_by_one"].get<std::size_t>(); ++i) {
    const std::string id = prefix + std::to_string(first + i);
    const bool new_one = client == nullptr || step.value("new_connection_each", true);
    if (new_one) client = &open_client(id, Protocol::Http1);
    const Answer* const answer = ask(*client, id, kPatience);
    const std::string what =
        answer == nullptr ? "none" : std::to_string(answer->status) + " " + answer->body;
    tally[what] = tally.value(what, 0) + 1;
    if (const std::size_t host = host_of(id); host > 0) ++per_host[host - 1];
    if (step.value("new_connection_each", true)) client->close();
  }
  return {{"tally", std::move(tally)}, {"per_host", per_host}};
}

json ActionScript::steady_requests(const json& step) {
  const std::string prefix = step.value("id_prefix", "t");
  ActionClient& client = open_client(step["steady_requests"], Protocol::Http1);
  const world::TimePoint end = now() + millis(step.at("for_ms"));
  json changes = json::array();
  std::set<int> between;
  json recovered;
  int seen = 200;
  bool failed = false;
  world::TimePoint second_answer{};
  for (std::size_t i = 0; now() < end && !client.over(); ++i) {
    const Answer* const answer = ask(client, prefix + std::to_string(i), end - now());
    if (answer == nullptr) break;
    if (i == 1) second_answer = answer->at;
    if (answer->status != seen) {
      json change = {{"traffic_sees", answer->status}};
      if (const std::size_t probes = probes_arrived(); probes > 0) {
        const ActionUpstream& upstream = *upstreams_.begin()->second;
        change["last_probe"] = probes;
        change["answer"] = upstream.answer_word(probes - 1);
        change["after_that_probe_s"] = rounded(now() - upstream.probes().back().at, 0.1);
      }
      changes.push_back(std::move(change));
      seen = answer->status;
    }
    if (i >= 2 && step.contains("until_status")) {
      if (answer->status == step["until_status"]) {
        if (failed) {
          recovered = rounded(answer->at - second_answer, 0.25);
          break;
        }
      } else {
        failed = true;
        between.insert(answer->status);
      }
    }
    run_for(millis(step.value("pause_ms", json(0))));
  }
  client.close();
  return {{"changes", std::move(changes)},
          {"recovered_after_s", recovered},
          {"statuses_between", between}};
}

json ActionScript::at_ms(const json& step) {
  if (step.value("since", "ready") != "ready") {
    throw NotSupported("a time since " + step["since"].dump());
  }
  const std::string id = step.at("new_connection_request");
  const world::TimePoint due = std::max(now(), ready_at_ + millis(step["at_ms"]));
  ++pending_;
  agenda_.after(due - now(), [this, id, step] {
    other_clients_.push_back(new_client(id, Protocol::Http1));
    ActionClient& client = *other_clients_.back();
    client.request(id);
    const auto look = [this, id, step, &client](const auto& self) -> void {
      if (client.answer(id) == nullptr && !client.over()) {
        agenda_.after(1ms, [self] { self(self); });
        return;
      }
      agenda_.after(100ms, [this, id, step, &client] {
        json result = answer_result(id, client.answer(id));
        if (json flags = health_flags(); !flags.empty()) result["flags_after"] = std::move(flags);
        late_.emplace_back(step, std::move(result));
        client.close();
        --pending_;
      });
    };
    look(look);
  });
  return {};
}

// --- Upstreams and what is read ----------------------------------------------------------------

json ActionScript::respond(const json& step) {
  for (const auto& [number, upstream] : upstreams_) {
    if (upstream->respond(step["respond"], step.value("status", 200))) break;
  }
  return {};
}

json ActionScript::wait_until_zero(const json& step) {
  const std::string clock = step.value("clock", "this-step");
  if (clock != "this-step" && clock != "previous-step-start") {
    throw NotSupported("the clock " + clock);
  }
  const world::TimePoint from = clock == "this-step" ? step_at_ : previous_step_at_;
  const std::string name = step["wait_until_zero"];
  const bool zero = run_until([&] { return statistic(statistics(), name) == 0; }, 2s);
  if (!zero) return "not within 2 s";
  return rounded(now() - from, step.value("round_s", 0.1));
}

std::size_t ActionScript::probes_arrived() const {
  return upstreams_.empty() ? 0 : upstreams_.begin()->second->probes().size();
}

json ActionScript::run_until_probes_done(const json& step) {
  const auto wanted = step["run_until_probes_done"].get<std::size_t>();
  run_until([&] { return wanted > 0 && probe_rows_.size() >= wanted; }, millis(step.at("most_ms")));
  run_for({});  // a connection is accepted after it was made
  json gaps = json::array();
  json connections = json::array();
  if (!upstreams_.empty()) {
    const auto& probes = upstreams_.begin()->second->probes();
    // The run is over when that many have been answered: those that come after are not in it.
    for (std::size_t i = 0; i < std::min(probes.size(), wanted); ++i) {
      connections.push_back(probes[i].connection);
      if (i > 0) gaps.push_back(rounded(probes[i].at - probes[i - 1].at, 0.05));
    }
  }
  return {{"states", probe_rows_}, {"gaps", std::move(gaps)}, {"connections", connections}};
}

json ActionScript::poll_until_listening(const json& step) {
  std::set<std::string> texts;
  const world::TimePoint end = now() + millis(step.at("most_ms"));
  bool listening = false;
  while (!listening && now() < end) {
    if (const std::string text(gateway_->ready_text()); text != "LIVE") texts.insert(text);
    ActionClient& client = open_client("", Protocol::Raw);
    listening = client.connected();
    client.close();
    if (!listening) run_for(5ms);
  }
  json result = {{"ready_texts_before", texts}, {"after_s", nullptr}};
  if (listening && probes_arrived() > 0) {
    const world::TimePoint first = upstreams_.begin()->second->probes().front().at;
    result["after_s"] = rounded(now() - first, step.value("round_s", 0.25));
  }
  return result;
}

json ActionScript::read(const json& step) {
  const std::string what = step["read"];
  const auto first = upstreams_.begin();
  const bool one = first != upstreams_.end();
  if (what == "access_log") {
    return access_log_reading(log(), step, [this](const std::string& a) { return peer_text(a); });
  }
  if (what == "connection_log") {
    if (gateway_ != nullptr) run_for(50ms);
    return access_log_reading(log("/connection-log-"), step,
                              [this](const std::string& a) { return peer_text(a); });
  }
  if (what == "upstream_alerts" || what == "upstream_sni" || what == "upstream_negotiated" ||
      what == "upstream_alpn" || what == "upstream_bytes_hex") {
    return read_upstream_tls(what);
  }
  if (what == "stats") return statistics_reading(statistics(), step);
  if (what == "events") {
    return events_reading(events_.all(), marks_[step.value("since", "")], step);
  }
  if (what == "upstream_events") return upstream_events_reading(events_.all(), step);
  if (what == "upstream_request_count") {
    std::size_t count = 0;
    for (const auto& [number, upstream] : upstreams_) count += upstream->requests();
    return count;
  }
  if (what == "upstream_request_header") {
    const std::size_t host = host_of(step.at("id"));
    if (host == 0) return {};
    const auto& headers = upstreams_.at(host)->find(step["id"])->headers;
    const auto header = headers.find(step.at("name").get<std::string>());
    if (header == headers.end()) return {};
    // The measured client came over loopback, which is shown as the machine's own address.
    const std::string own = world::Endpoint{client_host_.address(), 0}.address_text();
    return header->second == own ? "<LOCAL-IP>" : header->second;
  }
  if (what == "process_alive") return gateway_ != nullptr;
  if (what == "first_probe" && one) {
    json probes = json::array();
    if (!first->second->probes().empty() && !first->second->probes().front().lines.empty()) {
      probes.push_back(first->second->probes().front().lines);
    }
    return probes;
  }
  if (what == "ejected_hosts") {
    std::set<std::size_t> ejected;
    const proxy::ClusterState cluster = gateway_->clusters().front();
    for (const proxy::HostState& host : cluster.hosts) {
      if (!host.ejected) continue;
      for (std::size_t number = 1; number <= hosts(); ++number) {
        const sim::Host* const named = simulation_.find_host(action_host(number));
        if (named->address() == host.endpoint.address) ejected.insert(number);
      }
    }
    return ejected;
  }
  throw NotSupported("a reading of " + what);
}

json ActionScript::read_upstream_tls(const std::string& what) const {
  json list = json::array();
  if (upstreams_.empty()) return list;
  const ActionUpstream& upstream = *upstreams_.begin()->second;
  if (what == "upstream_bytes_hex") {
    const auto& kept = upstream.kept();
    json rest = json::array();
    for (std::size_t i = 1; i < kept.size(); ++i) rest.push_back(kept[i]);
    return {{"first", kept.empty() ? json::array() : json::array({kept.front()})},
            {"rest", std::move(rest)}};
  }
  for (const ActionUpstream::Secured& one : upstream.secured()) {
    if (what == "upstream_alerts") {
      if (one.failed) list.push_back(one.alert ? json(*one.alert) : json());
    } else if (what == "upstream_sni") {
      if (one.server_name) {
        return json::array({one.server_name->empty() ? json() : json(*one.server_name)});
      }
    } else if (one.agreed && what == "upstream_negotiated") {
      const json shown = upstream.asks_for_certificate() ? json(!one.agreed->peer.empty()) : json();
      return {text_of(one.agreed->version), one.agreed->cipher, shown};
    } else if (one.agreed) {
      list.push_back(one.agreed->alpn.empty() ? json() : json(one.agreed->alpn));
    }
  }
  return what == "upstream_negotiated" ? json() : list;
}

std::vector<ActionLogLine> ActionScript::log(const std::string& name) const {
  const auto& files = gateway_host_.files();
  const auto file = files.find(name + std::to_string(processes_));
  return read_action_log(file == files.end() ? std::string_view() : file->second);
}

std::string ActionScript::peer_text(const std::string& address) const {
  const std::string own = world::Endpoint{client_host_.address(), 0}.address_text();
  return address == own ? "127.0.0.1" : address;
}

json ActionScript::health_flags() const {
  json flags = json::array();
  if (gateway_ == nullptr) return flags;
  const proxy::ClusterState cluster = gateway_->clusters().front();
  if (cluster.hosts.empty()) return flags;
  const proxy::HostState& host = cluster.hosts.front();
  if (host.excluded) flags.push_back("excluded_via_immediate_hc_fail");
  if (host.failed_check) flags.push_back("failed_active_health_check");
  if (host.ejected) flags.push_back("failed_outlier_check");
  return flags;
}

Statistics ActionScript::statistics() const {
  if (gateway_ == nullptr) return {};
  Statistics all = statistics_of(gateway_->listeners(), gateway_->clusters());
  all["sds.secret.update_success"] = secrets_.updates();
  all["sds.secret.update_rejected"] = secrets_.rejected();
  return all;
}

}  // namespace conformance::recorded
