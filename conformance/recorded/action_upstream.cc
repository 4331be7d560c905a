#include "conformance/recorded/action_upstream.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "conformance/latin1.h"
#include "conformance/recorded/action_connection.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// How soon after an answer the listener closes, and how often it looks whether to open.
constexpr world::Duration kRefusesAfter = 50ms;
constexpr world::Duration kLooksEvery = 5ms;

bool begins(const std::string& text, std::string_view with) {
  return text.compare(0, with.size(), with) == 0;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
}

/// The answer to a probe by the status it names, in the form of `imm503` or `503`.
struct StatusWord {
  int status = 0;
  json headers = json::array();
};

std::string unknown_word(const std::string& word) {
  constexpr std::array<std::string_view, 17> kWords = {
      "ok",      "to",     "rst",    "fin",     "refuse",      "imm",     "ok-close",        "head",
      "garbage", "goaway", "ga-err", "SERVING", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN", "noct",
      "badmsg"};
  if (std::find(kWords.begin(), kWords.end(), word) != kWords.end() || word == "nomsg") return {};
  for (const std::string_view prefix : {"slow:", "imm", "rststream", "gs", ""}) {
    if (begins(word, prefix) && is_number(word.substr(prefix.size()))) return {};
  }
  return "the probe's answer " + word;
}

}  // namespace

ActionUpstream::ActionUpstream(world::World& world, std::uint16_t port, json script,
                               EventLog& events, std::function<std::uint64_t()> failed_probes,
                               const ActionCertificates& certificates)
    : world_(world),
      port_(port),
      script_(std::move(script)),
      events_(events),
      failed_probes_(std::move(failed_probes)),
      agenda_(world) {
  if (script_.contains("tls")) context_ = upstream_context(script_["tls"], certificates);
}

ActionUpstream::~ActionUpstream() = default;

std::string ActionUpstream::unsupported(const json& script) {
  constexpr std::array<std::string_view, 7> kMembers = {
      "proto", "host", "answer", "answer_sequence", "health_answers", "tls", "on_connect"};
  for (const auto& [name, value] : script.items()) {
    if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end()) {
      return "the upstream's " + name;
    }
  }
  const std::string proto = script.value("proto", "http1");
  if (proto != "http1" && proto != "http2" && proto != "grpc" && proto != "tcp" && proto != "raw") {
    return "an upstream of protocol " + proto;
  }
  for (const json& word : script.value("health_answers", json::array())) {
    if (auto reason = unknown_word(word.get<std::string>()); !reason.empty()) return reason;
  }
  return {};
}

void ActionUpstream::start() {
  listen_again();
  if (answer_word(0) == "refuse" && script_.contains("health_answers")) refuse();
}

void ActionUpstream::listen_again() {
  auto listener = world_.listen({0, port_}, *this);
  if (listener) listener_ = std::move(*listener);
}

void ActionUpstream::on_accept(std::unique_ptr<world::Transport> transport) {
  const std::string proto = script_.value("proto", "http1");
  const auto make = proto == "http1" ? action_http1
                    : proto == "tcp" ? action_tcp
                    : proto == "raw" ? action_raw
                                     : action_http2;
  const std::size_t number = connections_.size() + 1;
  if (context_ != nullptr) {
    auto secure =
        std::make_unique<wire::tls::TlsTransport>(world_, context_, std::move(transport), nullptr);
    secured_.push_back({.transport = secure.get()});
    transport = std::move(secure);
  }
  connections_.push_back(make(*this, number, std::move(transport)));
  ActionConnection& connection = *connections_.back();
  events_.add({"up_conn", connection.name()});
  connection.open();
}

std::string ActionUpstream::answer_word(std::size_t probe) const {
  const json words = script_.value("health_answers", json::array());
  if (words.empty()) return "ok";
  return words[std::min(probe, words.size() - 1)];
}

bool ActionUpstream::asks_for_certificate() const {
  return script_.contains("tls") &&
         script_["tls"].value("client_certificate", "not-asked") != "not-asked";
}

const UpstreamRequestSeen* ActionUpstream::find(const std::string& id) const {
  const auto found = newest_.find(id);
  return found == newest_.end() ? nullptr : &found->second;
}

void ActionUpstream::take(UpstreamRequestSeen request) {
  const bool probe = script_.value("proto", "http1") == "tcp" || begins(request.path, "/ping") ||
                     begins(request.path, "/grpc.health");
  if (probe && script_.contains("health_answers")) {
    take_probe(request);
    return;
  }
  const auto id = request.headers.find("x-id");
  request.id = id != request.headers.end() ? id->second : request.path;
  ++requests_;
  events_.add({"up_req", request.connection->name(), request.id});
  const UpstreamRequestSeen& kept = newest_[request.id] = request;
  ActionConnection& connection = *kept.connection;
  if (script_.contains("answer_sequence")) {
    const json& sequence = script_["answer_sequence"];
    const std::size_t turn = std::min(requests_ - 1, sequence.size() - 1);
    connection.answer(kept, sequence[turn], "ok-" + kept.id, json::array());
    return;
  }
  const json answer = script_.value("answer", json::object());
  if (answer == "hold") return;
  if (answer.contains("send")) {
    connection.send(to_latin1(answer["send"].get<std::string>()));
    const std::string then = answer.value("then", "hold");
    if (then == "hold") return;
    agenda_.after(std::chrono::milliseconds(answer.value("then_after_ms", 0)),
                  [&connection, then] { connection.end(then == "rst"); });
    return;
  }
  connection.answer(kept, answer.value("status", 200), answer.value("body", "ok-" + kept.id),
                    answer.value("headers", json::array()));
}

bool ActionUpstream::respond(const std::string& id, int status) {
  const UpstreamRequestSeen* const request = find(id);
  if (request == nullptr) return false;
  request->connection->answer(*request, status, "ok-" + id, json::array());
  return true;
}

void ActionUpstream::take_probe(const UpstreamRequestSeen& request) {
  probes_.push_back({world_.now(), request.connection->number(), request.lines});
  const std::string word = answer_word(next_word_++);
  if (begins(word, "slow:")) {
    const double seconds = std::atof(word.c_str() + 5);
    agenda_.after(world::Duration(static_cast<std::int64_t>(seconds * 1e9)),
                  [this, request] { answer_probe(request, "ok"); });
    return;
  }
  answer_probe(request, word);
}

void ActionUpstream::answer_probe(const UpstreamRequestSeen& request, const std::string& word) {
  ActionConnection& connection = *request.connection;
  const bool tcp = script_.value("proto", "http1") == "tcp";
  if (word == "rst" || word == "fin") {
    connection.end(word == "rst");
  } else if (!tcp && word != "to" && !connection.answer_word(request, word)) {
    const bool immediate = begins(word, "imm");
    const std::string digits = immediate ? word.substr(3) : word;
    json headers = json::array();
    if (immediate) headers.push_back({"x-envoy-immediate-health-check-fail", "true"});
    const int status = is_number(digits) ? std::atoi(digits.c_str()) : 200;
    connection.answer(request, status, status < 200 || status == 204 ? "" : "ok", headers);
  }
  if (answer_word(next_word_) != "refuse") return;
  // A probe that is not answered is left to its timeout.
  const bool answered = word != "to" && word != "head";
  when(failed_probes_() + (answered ? 0 : 1),
       [this] { agenda_.after(kRefusesAfter, [this] { refuse(); }); });
}

/// Does it once that many probes have failed.
void ActionUpstream::when(std::uint64_t failed, const std::function<void()>& act) {
  if (failed_probes_() >= failed) {
    act();
  } else {
    agenda_.after(kLooksEvery, [this, failed, act] { when(failed, act); });
  }
}

/// Refuses as many probes as there are such words in a row.
void ActionUpstream::refuse() {
  const std::size_t words = script_["health_answers"].size();
  std::uint64_t refused = 0;
  for (; next_word_ < words && answer_word(next_word_) == "refuse"; ++next_word_) ++refused;
  listener_.reset();
  for (const auto& connection : connections_) connection->end(false);
  // The last word repeats.
  if (next_word_ < words) when(failed_probes_() + refused, [this] { listen_again(); });
}

}  // namespace conformance::recorded
