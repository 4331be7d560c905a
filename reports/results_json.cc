#include "reports/results_json.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "reports/failure_text.h"
#include "reports/summary.h"

namespace reports {
namespace {

using conformance::Check;
using conformance::ObservedRequest;
using conformance::Report;
using conformance::RunResult;
using conformance::TimelineEntry;
using Json = nlohmann::ordered_json;

/// Of the format, not of the program: goes up when a reader must change.
constexpr int kFormat = 1;

std::int64_t nanoseconds(world::TimePoint at) {
  return at.time_since_epoch().count();
}

Json json_of(const world::Place& place) {
  if (place.file.empty() && !place.known()) return nullptr;
  return {{"file", place.file}, {"line", place.line}, {"column", place.column}};
}

Json json_of(const world::Error& error) {
  return {{"path", error.path}, {"message", error.message}, {"place", json_of(error.place)}};
}

Json json_of(const Check& check) {
  return {{"at_ns", nanoseconds(check.at)}, {"name", check.name},
          {"passed", check.passed},         {"expected", check.expected},
          {"actual", check.actual},         {"place", json_of(check.place)}};
}

Json json_of(const TimelineEntry& entry) {
  return {{"at_ns", nanoseconds(entry.at)},
          {"who", entry.who},
          {"what", entry.what},
          {"request", entry.request}};
}

/// A header may come twice and order matters, so a list of pairs, not an object.
Json json_of(const std::vector<std::pair<std::string, std::string>>& headers) {
  Json out = Json::array();
  for (const auto& [name, value] : headers) out.push_back(Json::array({name, value}));
  return out;
}

/// Exact bytes: messages and frames are no text.
std::string hex_of(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Json json_of(const ObservedRequest::Frame& frame) {
  return {{"at_ns", nanoseconds(frame.at)},
          {"kind", frame.kind},
          {"code", frame.code},
          {"hex", hex_of(frame.bytes)}};
}

Json json_of(const std::optional<ObservedRequest::Tls>& tls) {
  if (!tls) return nullptr;
  return {{"version", tls->version},
          {"alpn", tls->alpn},
          {"cipher", tls->cipher},
          {"server_name", tls->server_name},
          {"resumed", tls->resumed},
          {"server_certificate", tls->server_certificate},
          {"client_certificate", tls->client_certificate},
          {"failed", tls->failed},
          {"refused_by", tls->refused_by},
          {"reason", tls->reason}};
}

Json json_of(const ObservedRequest::Message& message) {
  return {{"at_ns", nanoseconds(message.at)}, {"hex", hex_of(message.bytes)}};
}

// Known before the template below, which looks them up.
Json json_of(const ObservedRequest& request);
Json json_of(const ObservedRequest::Seen& seen);
Json json_of(const RunResult& run);

template <class T>
Json list_of(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(json_of(value));
  return out;
}

Json json_of(const ObservedRequest::Seen& seen) {
  Json messages = Json::array();
  for (const std::string& message : seen.messages) messages.push_back(hex_of(message));
  return {{"at_ns", nanoseconds(seen.at)},
          {"service", seen.service},
          {"endpoint", seen.endpoint},
          {"method", seen.method},
          {"path", seen.path},
          {"host", seen.host},
          {"headers", json_of(seen.headers)},
          {"body", seen.body},
          {"protocol", seen.protocol},
          {"trailers", json_of(seen.trailers)},
          {"messages", std::move(messages)},
          {"frames", list_of(seen.frames)},
          {"tls", json_of(seen.tls)}};
}

Json json_of(const ObservedRequest& request) {
  Json out;
  out["id"] = request.id;
  out["client"] = request.client;
  out["sent_at_ns"] = nanoseconds(request.sent_at);
  out["answered_at_ns"] = request.answered_at ? Json(nanoseconds(*request.answered_at)) : Json();
  out["method"] = request.method;
  out["url"] = request.url;
  out["status"] = request.status ? Json(*request.status) : Json();
  out["response_headers"] = json_of(request.response_headers);
  out["response_body"] = request.response_body;
  out["failure"] = request.failure;
  out["response_flags"] = request.response_flags;
  out["seen"] = list_of(request.seen);
  out["protocol"] = request.protocol;
  out["response_trailers"] = json_of(request.response_trailers);
  out["grpc"] = nullptr;
  if (request.grpc) {
    out["grpc"] = {{"status", request.grpc->status ? Json(*request.grpc->status) : Json()},
                   {"message", request.grpc->message},
                   {"messages", list_of(request.grpc->messages)}};
  }
  out["frames"] = list_of(request.frames);
  out["tls"] = json_of(request.tls);
  out["ended_at_ns"] = request.ended_at ? Json(nanoseconds(*request.ended_at)) : Json();
  return out;
}

Json json_of(const RunResult& run) {
  Json out;
  out["id"] = run.id;
  out["title"] = run.title;
  out["file"] = run.file;
  out["digest"] = run.digest;
  out["clauses"] = run.clauses;
  out["variant"] = Json::object();
  for (const auto& [name, value] : run.variant) out["variant"][name] = value;
  out["era"] = run.era;
  out["outcome"] = word_of(run.outcome);
  out["reason"] = run.reason;
  out["explanation"] = failure_text(run);
  out["errors"] = list_of(run.errors);
  out["seed"] = run.seed;
  out["simulated_ns"] = run.simulated.count();
  out["events"] = run.events;
  out["trace_hash"] = run.trace_hash;
  out["checks"] = list_of(run.checks);
  out["unjudged_times"] = run.unjudged_times;
  out["timeline"] = list_of(run.timeline);
  out["requests"] = list_of(run.requests);
  out["series"] = run.series;
  out["replay"] = run.replay;
  return out;
}

Json json_of(const Counts& counts) {
  return {{"total", counts.total()}, {"passed", counts.passed},   {"failed", counts.failed},
          {"errors", counts.errors}, {"skipped", counts.skipped}, {"known", counts.known}};
}

}  // namespace

std::string results_json(const Report& report) {
  Json out;
  out["format"] = kFormat;
  out["version"] = report.version;
  out["target"] = report.target;
  out["seed"] = report.seed;
  out["summary"] = json_of(counts_of(report));
  out["runs"] = list_of(report.runs);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace reports
