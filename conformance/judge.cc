#include "conformance/judge.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/latin1.h"
#include "conformance/units.h"
#include "peers/http_text.h"
#include "peers/response_reader.h"
#include "wire/grpc.h"

namespace conformance {
namespace {

constexpr std::string_view kAbsent = "(absent)";

std::string shown(const std::optional<std::string>& text) {
  return text ? (text->empty() ? "\"\"" : *text) : std::string(kAbsent);
}

Duration since_start(world::TimePoint at) {
  return at.time_since_epoch();
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& items) {
  return items.empty() ? "(none)" : fmt::format("{}", fmt::join(items, ", "));
}

/// All values of a header, as one who reads them would join them.
std::optional<std::string> header_of(
    const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  std::optional<std::string> found;
  for (const auto& [each, value] : headers) {
    if (!peers::same_name(each, name)) continue;
    found = found ? *found + ", " + value : value;
  }
  return found;
}

/// Bytes as a check shows them.
std::string shown_bytes(std::string_view bytes) {
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      std::string hex;
      for (const char each : bytes.substr(0, 64)) {
        hex += fmt::format("{:02x}", static_cast<unsigned char>(each));
      }
      return "{hex: " + hex + (bytes.size() > 64 ? "...}" : "}");
    }
  }
  return bytes.empty() ? "\"\"" : std::string(bytes);
}

std::string shown_frame(const ObservedRequest::Frame& frame) {
  if (frame.kind == "text") return frame.bytes;
  if (frame.kind != "close") return fmt::format("{{{}: {}}}", frame.kind, shown_bytes(frame.bytes));
  return frame.bytes.empty() ? fmt::format("{{close: {}}}", frame.code)
                             : fmt::format("{{close: {}, reason: {}}}", frame.code, frame.bytes);
}

/// What is empty is not there.
std::optional<std::string> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string json_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string_view word_of(wire::WebSocketOpcode opcode) {
  switch (opcode) {
    case wire::WebSocketOpcode::Text:
      return "text";
    case wire::WebSocketOpcode::Binary:
      return "binary";
    case wire::WebSocketOpcode::Ping:
      return "ping";
    case wire::WebSocketOpcode::Pong:
      return "pong";
    case wire::WebSocketOpcode::Close:
      break;
  }
  return "close";
}

std::vector<Answer> answers_in(const std::string& received, bool head, bool ended) {
  std::vector<Answer> answers;
  peers::ResponseReader reader;
  std::string_view rest = received;
  Answer answer;
  const auto complete = [&] {
    if (answer.status >= 200 || answer.status == 101) answers.push_back(std::move(answer));
    answer = {};
  };
  while (true) {
    switch (reader.next(rest)) {
      case peers::ResponseReader::Found::Head:
        answer.status = reader.status();
        for (const peers::HeaderLine& line : peers::header_lines(reader.head())) {
          answer.headers.emplace_back(line.name, line.value);
        }
        if (head) reader.skip_body();
        if (answer.status < 200 && answer.status != 101) answer = {};
        break;
      case peers::ResponseReader::Found::Body:
        answer.body += reader.piece();
        break;
      case peers::ResponseReader::Found::Complete:
        complete();
        break;
      case peers::ResponseReader::Found::NeedMore:
      case peers::ResponseReader::Found::Bad:
        // What was cut short is an answer too: its status was seen.
        if (ended && answer.status != 0) complete();
        return answers;
    }
  }
}

std::string failure_of(const peers::RawConnection& raw, const std::string& host, bool head) {
  using Ending = peers::RawConnection::Ending;
  using Found = peers::ResponseReader::Found;
  switch (raw.ending()) {
    case Ending::None:
      return {};
    case Ending::Refused:
      return "connection refused";
    case Ending::ConnectFailed:
      return "connection timed out";
    case Ending::Unresolved:
      return "name does not resolve: " + host;
    case Ending::Fin:
    case Ending::Reset:
    case Ending::Closed:
      break;
  }
  peers::ResponseReader reader;
  std::string_view rest = raw.received();
  std::size_t whole = 0;
  for (Found found = reader.next(rest); found != Found::NeedMore; found = reader.next(rest)) {
    if (found == Found::Bad) return "not an HTTP answer";
    if (found == Found::Head && head) reader.skip_body();
    if (found == Found::Complete && (reader.status() >= 200 || reader.status() == 101)) ++whole;
  }
  const bool until_close = raw.ending() == Ending::Fin && reader.end();
  if (!reader.in_answer() || until_close) {
    if (whole > 0 || until_close) return {};
    if (raw.ending() == Ending::Closed) return "given up";
    return raw.ending() == Ending::Reset ? "connection reset before an answer"
                                         : "closed before an answer";
  }
  if (raw.ending() == Ending::Closed) return "given up";
  return raw.ending() == Ending::Reset ? "connection reset in the middle of an answer"
                                       : "closed in the middle of an answer";
}

void Judge::check(std::string name, bool passed, std::string expected, std::string actual,
                  const world::Place& place) {
  Check check;
  check.at = stage_.setting().now();
  check.name = std::move(name);
  check.passed = passed;
  check.expected = std::move(expected);
  check.actual = std::move(actual);
  check.place = place;
  checks_.push_back(std::move(check));
  if (!tries_) tell(checks_.size() - 1);
}

void Judge::tell(std::size_t first) {
  for (; first < checks_.size(); ++first) {
    const Check& check = checks_[first];
    stage_.setting().trace().record({check.at, world::TraceKind::Verdict, 0, 0, first,
                                     std::uint64_t{check.passed}, check.name});
  }
}

bool Judge::leaves_time() {
  if (unjudged_times_ != nullptr) ++*unjudged_times_;
  return unjudged_times_ != nullptr;
}

/// The line as it would be with the times that are expected of it.
std::string Judge::left_times(const TextExpectation& expected, const std::string& line,
                              const LogTimes& times) {
  if (expected.tests.size() != 1) return line;
  std::string with = times.with_times_of(expected.tests.front().text, line);
  if (with != line) leaves_time();
  return with;
}

void Judge::text(const std::string& name, const TextExpectation& expected,
                 const std::optional<std::string>& actual) {
  std::optional<std::string_view> view;
  if (actual) view = *actual;
  check(name, expected.holds(view), expected.written, shown(actual), expected.place);
}

/// Without a test any failure will do.
void Judge::failure(const std::string& name, const TextExpectation& expected,
                    const std::string& actual) {
  if (expected.tests.empty() && !expected.absent) {
    check(name, !actual.empty(), "any failure", shown(if_any(actual)), expected.place);
  } else {
    text(name, expected, if_any(actual));
  }
}

void Judge::number(const std::string& name, const NumberExpectation& expected,
                   std::int64_t actual) {
  check(name, expected.holds(actual), expected.written, std::to_string(actual), expected.place);
}

void Judge::headers(const std::string& where, const std::vector<HeaderExpectation>& expected,
                    const std::vector<std::pair<std::string, std::string>>& actual) {
  for (const HeaderExpectation& header : expected) {
    text(where + "/headers/" + header.name, header.value, header_of(actual, header.name));
  }
}

void Judge::request(const std::string& where, const RequestExpectation& expected,
                    const Exchange& exchange) {
  const ObservedRequest& observed = exchange.observed;
  const Answer* answer = exchange.answers.empty() ? nullptr : &exchange.answers.front();
  const std::string no_answer =
      observed.failure.empty() ? "no answer" : "no answer: " + observed.failure;
  if (expected.status) {
    const bool held = answer != nullptr && expected.status->holds(answer->status);
    check(where + "/status", held, expected.status->written,
          answer != nullptr ? std::to_string(answer->status) : no_answer, expected.status->place);
  }
  const auto body = answer != nullptr ? std::optional<std::string>(answer->body) : std::nullopt;
  if (expected.body) text(where + "/body", *expected.body, body);
  headers(where, expected.headers,
          answer != nullptr ? answer->headers : std::vector<std::pair<std::string, std::string>>{});
  if (expected.flags) text(where + "/flags", *expected.flags, exchange.flags);
  if (expected.route) {
    std::string route = exchange.route;
    constexpr std::string_view kWord = "gatewayRoute ";
    if (route.rfind(kWord, 0) == 0) route.erase(0, kWord.size());
    text(where + "/route", *expected.route, if_any(route));
  }
  if (expected.failed) failure(where + "/failed", *expected.failed, observed.failure);
  if (expected.details) text(where + "/details", *expected.details, if_any(exchange.details));
  if (expected.tls) tls(where + "/tls", *expected.tls, observed.tls);
  if (expected.service) service(where + "/service", *expected.service, exchange);
  const auto instant = [&](const char* name, const DurationExpectation& wanted,
                           std::optional<Duration> actual) {
    if (leaves_time()) return;
    check(where + name, actual && wanted.holds(*actual), wanted.written,
          actual ? duration_text(*actual) : no_answer, wanted.place);
  };
  if (expected.answered_at) {
    std::optional<Duration> at;
    if (observed.answered_at) at = since_start(*observed.answered_at);
    instant("/answeredAt", *expected.answered_at, at);
  }
  if (expected.took) {
    std::optional<Duration> took;
    if (observed.answered_at) took = *observed.answered_at - observed.sent_at;
    instant("/took", *expected.took, took);
  }
  if (expected.ended_at) {
    std::optional<Duration> at;
    if (observed.ended_at) at = since_start(*observed.ended_at);
    instant("/endedAt", *expected.ended_at, at);
  }
  if (expected.protocol) {
    text(where + "/protocol", *expected.protocol,
         answer != nullptr ? std::optional<std::string>(answer->protocol) : std::nullopt);
  }
  const auto no_lines = std::vector<std::pair<std::string, std::string>>{};
  trailers(where, expected.trailers, answer != nullptr ? answer->trailers : no_lines);
  if (expected.grpc_status) {
    const bool known = answer != nullptr && answer->grpc && answer->grpc->status;
    check(where + "/grpcStatus", known && expected.grpc_status->holds(*answer->grpc->status),
          expected.grpc_status->written,
          known ? fmt::format("{} {}", *answer->grpc->status,
                              wire::grpc::name_of(*answer->grpc->status))
                : no_answer,
          expected.grpc_status->place);
  }
  if (expected.grpc_message) {
    text(where + "/grpcMessage", *expected.grpc_message,
         answer != nullptr && answer->grpc ? std::optional<std::string>(answer->grpc->message)
                                           : std::nullopt);
  }
  if (expected.messages) {
    std::vector<ObservedRequest::Message> got;
    if (observed.grpc) got = observed.grpc->messages;
    messages(where, *expected.messages, got, expected.place);
  }
  if (expected.frames) frames(where, *expected.frames, observed.frames, expected.place);
  if (exchange.raw) raw(where, expected, exchange);
  if (expected.log) {
    LogExpectation log;
    log.last = expected.log;
    log.place = expected.place;
    Judge::log(where, log);
  }
}

void Judge::tls(const std::string& where, const TlsExpectation& expected,
                const std::optional<ObservedRequest::Tls>& actual) {
  if (expected.none || !actual) {
    check(where, expected.none == !actual, expected.none ? "plain text" : "TLS",
          actual ? "TLS" : "plain text", expected.place);
    return;
  }
  const auto word = [&](const char* name, const std::optional<TextExpectation>& wanted,
                        const std::string& got) {
    if (wanted) text(where + name, *wanted, if_any(got));
  };
  word("/version", expected.version, actual->version);
  word("/alpn", expected.alpn, actual->alpn);
  word("/cipher", expected.cipher, actual->cipher);
  word("/serverName", expected.server_name, actual->server_name);
  word("/serverCertificate", expected.server_certificate, actual->server_certificate);
  word("/clientCertificate", expected.client_certificate, actual->client_certificate);
  word("/refusedBy", expected.refused_by, actual->refused_by);
  word("/reason", expected.reason, actual->reason);
  if (expected.resumed) {
    check(where + "/resumed", *expected.resumed == actual->resumed,
          *expected.resumed ? "true" : "false", actual->resumed ? "true" : "false", expected.place);
  }
  if (expected.failed) failure(where + "/failed", *expected.failed, actual->failed);
}

void Judge::trailers(const std::string& where, const std::vector<HeaderExpectation>& expected,
                     const std::vector<std::pair<std::string, std::string>>& actual) {
  for (const HeaderExpectation& trailer : expected) {
    text(where + "/trailers/" + trailer.name, trailer.value, header_of(actual, trailer.name));
  }
}

void Judge::messages(const std::string& where, const std::vector<MessageExpectation>& expected,
                     const std::vector<ObservedRequest::Message>& actual,
                     const world::Place& place) {
  if (expected.size() != actual.size()) {
    std::vector<std::string> got;
    for (const auto& message : actual) got.push_back(shown_bytes(message.bytes));
    check(where + "/messages", false, std::to_string(expected.size()),
          fmt::format("{}: {}", actual.size(), joined(got)), place);
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const MessageExpectation& wanted = expected[i];
    const std::string name = fmt::format("{}/messages/{}", where, i + 1);
    if (wanted.protos != nullptr) {
      const auto want = wanted.protos->decode(wanted.type, wanted.bytes);
      const auto got = wanted.protos->decode(wanted.type, actual[i].bytes);
      check(name, got && want && got.value() == want.value(), want ? want.value() : wanted.written,
            got ? got.value() : shown_bytes(actual[i].bytes), wanted.place);
    } else {
      check(name, wanted.text.holds(std::string_view(actual[i].bytes)), wanted.written,
            shown_bytes(actual[i].bytes), wanted.place);
    }
    if (!wanted.at || leaves_time()) continue;
    const Duration at = since_start(actual[i].at);
    check(name + "/at", wanted.at->holds(at), wanted.at->written, duration_text(at), wanted.place);
  }
}

void Judge::frames(const std::string& where, const std::vector<FrameExpectation>& expected,
                   const std::vector<ObservedRequest::Frame>& actual, const world::Place& place) {
  if (expected.size() != actual.size()) {
    std::vector<std::string> got;
    for (const auto& frame : actual) got.push_back(shown_frame(frame));
    check(where + "/frames", false, std::to_string(expected.size()),
          fmt::format("{}: {}", actual.size(), joined(got)), place);
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const FrameExpectation& wanted = expected[i];
    const ObservedRequest::Frame& frame = actual[i];
    const bool held = word_of(wanted.opcode) == frame.kind &&
                      (!wanted.bytes || wanted.bytes->holds(std::string_view(frame.bytes))) &&
                      (!wanted.code || wanted.code->holds(frame.code));
    const std::string name = fmt::format("{}/frames/{}", where, i + 1);
    check(name, held, wanted.written, shown_frame(frame), wanted.place);
    if (!wanted.at || leaves_time()) continue;
    const Duration at = since_start(frame.at);
    check(name + "/at", wanted.at->holds(at), wanted.at->written, duration_text(at), wanted.place);
  }
}

void Judge::raw(const std::string& where, const RequestExpectation& expected,
                const Exchange& exchange) {
  const peers::RawConnection& raw = *exchange.raw;
  if (expected.answer) text(where + "/answer", *expected.answer, to_utf8(raw.received()));
  if (expected.has_answers) {
    std::vector<std::string> wanted;
    std::vector<std::string> got;
    bool held = expected.answers.size() == exchange.answers.size();
    for (const NumberExpectation& number : expected.answers) wanted.push_back(number.written);
    for (std::size_t i = 0; i < exchange.answers.size(); ++i) {
      got.push_back(std::to_string(exchange.answers[i].status));
      held = held && expected.answers[i].holds(exchange.answers[i].status);
    }
    check(where + "/answers", held, joined(wanted), joined(got), expected.place);
  }
  if (!expected.closed) return;
  const ClosedExpectation& closed = *expected.closed;
  using Ending = peers::RawConnection::Ending;
  const bool ended = raw.ending() == Ending::Fin || raw.ending() == Ending::Reset;
  const std::string how = !ended                          ? "open"
                          : raw.ending() == Ending::Reset ? "reset by the gateway"
                                                          : "closed by the gateway";
  check(where + "/closed", ended == closed.closed, closed.closed ? "closed" : "open", how,
        closed.place);
  const auto when = [&](const char* name, const DurationExpectation& wanted, Duration actual) {
    if (leaves_time()) return;
    check(where + name, ended && wanted.holds(actual), wanted.written,
          ended ? duration_text(actual) : how, wanted.place);
  };
  const world::TimePoint last = raw.received().empty() ? raw.connected_at() : raw.last_byte_at();
  if (closed.after) when("/closed/after", *closed.after, raw.ended_at() - last);
  if (closed.at) when("/closed/at", *closed.at, since_start(raw.ended_at()));
}

void Judge::service(const std::string& where, const ServiceExpectation& expected,
                    const Exchange& exchange) {
  const auto& all = exchange.observed.seen;
  if (expected.none) {
    check(where, all.empty(), "none",
          all.empty() ? "none" : all.front().service + " saw " + all.front().path, expected.place);
    return;
  }
  if (expected.count) {
    number(where + "/count", *expected.count, static_cast<std::int64_t>(all.size()));
  }
  if (expected.has_paths) {
    std::vector<std::string> wanted;
    std::vector<std::string> got;
    bool held = expected.paths.size() == all.size();
    for (const TextExpectation& path : expected.paths) wanted.push_back(path.written);
    for (std::size_t i = 0; i < all.size(); ++i) {
      got.push_back(all[i].path);
      held = held && expected.paths[i].holds(std::string_view(all[i].path));
    }
    check(where + "/paths", held, joined(wanted), joined(got), expected.place);
  }
  // What is said of the request is meant of the last one that was seen: the try that counted.
  const ObservedRequest::Seen* seen = all.empty() ? nullptr : &all.back();
  const auto of = [&](const std::string ObservedRequest::Seen::*member) {
    return seen != nullptr ? std::optional<std::string>(seen->*member) : std::nullopt;
  };
  if (expected.name) text(where + "/name", *expected.name, of(&ObservedRequest::Seen::service));
  if (expected.node) {
    auto node = of(&ObservedRequest::Seen::endpoint);
    if (node) node->erase(node->rfind('-'));
    text(where + "/node", *expected.node, node);
  }
  if (expected.endpoint) {
    text(where + "/endpoint", *expected.endpoint, of(&ObservedRequest::Seen::endpoint));
  }
  if (expected.method)
    text(where + "/method", *expected.method, of(&ObservedRequest::Seen::method));
  if (expected.path) text(where + "/path", *expected.path, of(&ObservedRequest::Seen::path));
  if (expected.host) text(where + "/host", *expected.host, of(&ObservedRequest::Seen::host));
  if (expected.body) text(where + "/body", *expected.body, of(&ObservedRequest::Seen::body));
  if (expected.protocol) {
    text(where + "/protocol", *expected.protocol, of(&ObservedRequest::Seen::protocol));
  }
  if (expected.tls) {
    tls(where + "/tls", *expected.tls, seen != nullptr ? seen->tls : std::nullopt);
  }
  const auto no_lines = std::vector<std::pair<std::string, std::string>>{};
  trailers(where, expected.trailers, seen != nullptr ? seen->trailers : no_lines);
  if (expected.messages) {
    std::vector<ObservedRequest::Message> got;
    if (seen != nullptr) {
      for (const std::string& message : seen->messages) got.push_back({seen->at, message});
    }
    messages(where, *expected.messages, got, expected.place);
  }
  if (expected.frames) {
    frames(where, *expected.frames,
           seen != nullptr ? seen->frames : std::vector<ObservedRequest::Frame>{}, expected.place);
  }
  if (!expected.headers.empty()) {
    headers(where, expected.headers,
            seen != nullptr ? seen->headers : std::vector<std::pair<std::string, std::string>>{});
  }
}

void Judge::api(const std::string& where, const ApiExpectation& expected,
                const StagedApi::Outcome& outcome) {
  const mesh::api::Json& answer = outcome.answer;
  // A call that says nothing of an error must have none.
  const std::string& type = outcome.error;
  if (expected.error) {
    text(where + "/error", *expected.error, if_any(type));
  } else if (!expected.status) {
    check(where + "/error", type.empty(), "none",
          type.empty() ? "none" : type + " " + answer.dump(), expected.place);
  }
  if (expected.message) text(where + "/message", *expected.message, answer.value("message", ""));
  if (expected.status) number(where + "/status", *expected.status, outcome.status);
  if (expected.unchanged) {
    check(where + "/unchanged", *expected.unchanged != outcome.changed,
          *expected.unchanged ? "unchanged" : "changed", outcome.changed ? "changed" : "unchanged",
          expected.place);
  }
  for (const auto& [pointer, wanted] : expected.answer) {
    if (pointer.ends_with("edAt") && leaves_time()) continue;  // createdAt, lastUpdatedAt
    const nlohmann::json::json_pointer at(pointer);
    text(where + "/answer" + pointer, wanted,
         answer.contains(at) ? std::optional(json_text(answer[at])) : std::nullopt);
  }
}

void Judge::group(const std::string& where, const GroupExpectation& expected,
                  const std::vector<const Exchange*>& exchanges) {
  std::map<int, std::int64_t> statuses;
  std::map<std::string, std::int64_t> services, endpoints, gateways, flags;
  std::int64_t answered = 0;
  std::int64_t failed = 0;
  std::int64_t waiting = 0;
  std::int64_t overloaded = 0;
  std::vector<const Exchange*> served;
  for (const Exchange* exchange : exchanges) {
    if (!exchange->ended_at) {
      ++waiting;
      continue;
    }
    if (!exchange->observed.failure.empty()) ++failed;
    for (const Answer& answer : exchange->answers) {
      ++answered;
      ++statuses[answer.status];
      overloaded += header_of(answer.headers, "x-envoy-overloaded").has_value();
      // Those that were refused at once did not wait for their turn.
      if (answer.status < 500) served.push_back(exchange);
    }
    ++flags[exchange->flags];
    if (!exchange->gateway.empty()) {
      ++gateways[exchange->gateway];
      ++gateways[exchange->gateway.substr(0, exchange->gateway.rfind('-'))];
    }
    if (exchange->observed.seen.empty()) continue;
    ++services[exchange->observed.seen.back().service];
    ++endpoints[exchange->observed.seen.back().endpoint];
  }
  for (const auto& [status, wanted] : expected.statuses) {
    number(fmt::format("{}/{}", where, status), wanted, statuses[status]);
  }
  if (expected.answered) number(where + "/answered", *expected.answered, answered);
  if (expected.failed) number(where + "/failed", *expected.failed, failed);
  if (expected.waiting) number(where + "/waiting", *expected.waiting, waiting);
  if (expected.overloaded) number(where + "/overloaded", *expected.overloaded, overloaded);
  if (expected.answered_in_order) {
    std::stable_sort(served.begin(), served.end(),
                     [](const Exchange* a, const Exchange* b) { return a->arrival < b->arrival; });
    const bool in_order = std::is_sorted(
        served.begin(), served.end(),
        [](const Exchange* a, const Exchange* b) { return *a->ended_at < *b->ended_at; });
    check(where + "/answeredInOrder", in_order == *expected.answered_in_order,
          *expected.answered_in_order ? "true" : "false", in_order ? "true" : "false",
          expected.in_order_place);
  }
  const auto by_name = [&](const char* name, const auto& wanted,
                           std::map<std::string, std::int64_t>& actual) {
    for (const auto& [which, count] : wanted) {
      number(fmt::format("{}/{}/{}", where, name, which), count, actual[which]);
    }
  };
  by_name("services", expected.services, services);
  by_name("endpoints", expected.endpoints, endpoints);
  by_name("gateways", expected.gateways, gateways);
  by_name("flags", expected.flags, flags);
  if (!expected.each) return;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    request(fmt::format("{}/each/{}", where, i + 1), *expected.each, *exchanges[i]);
  }
}

void Judge::balancer(const std::string& where, const BalancerExpectation& expected) {
  const StagedBalancer& balancer = stage_.balancer(expected.balancer);
  const std::string name = where + "/nlb/" + expected.balancer;
  for (const BalancerExpectation::Target& target : expected.targets) {
    const StagedBalancer::Target actual = balancer.target(target.instance);
    const std::string of = name + "/targets/" + target.instance;
    if (target.state) text(of + "/state", *target.state, std::string(actual.state));
    if (target.reason) {
      const std::string reason(actual.reason);
      text(of + "/reason", *target.reason,
           reason.empty() ? std::nullopt : std::optional<std::string>(reason));
    }
    if (target.flows) number(of + "/flows", *target.flows, static_cast<std::int64_t>(actual.flows));
    if (target.checks) {
      number(of + "/checks", *target.checks, static_cast<std::int64_t>(actual.checks));
    }
  }
  if (expected.zones) {
    const std::vector<std::string> zones = balancer.zones();
    check(name + "/zones", zones == *expected.zones, expected.zones_written,
          fmt::format("[{}]", fmt::join(zones, ", ")), expected.place);
  }
}

void Judge::count(const std::string& where, const CountExpectation& expected) {
  const auto actual = stage_.count(expected.what);
  const std::string name = where + "/" + expected.what.text();
  if (actual) {
    number(name, expected.number, *actual);
  } else {
    check(name, false, expected.number.written, "there is no such number", expected.number.place);
  }
}

void Judge::log(const std::string& where, const LogExpectation& expected) {
  const std::string path =
      expected.path.empty() ? stage_.log_path(expected.gateway) : expected.path;
  std::vector<std::string> all;
  for (const world::World* host : stage_.instances(expected.gateway)) {
    const std::string file = stage_.file(*host, path);
    for (std::string& line : split_lines(file)) all.push_back(std::move(line));
  }
  const std::string name = where + "/log" + (path.empty() ? "" : " " + path);
  if (expected.count) number(name, *expected.count, static_cast<std::int64_t>(all.size()));
  const proxy::AccessLogPlan* plan =
      unjudged_times_ != nullptr ? stage_.log_plan(expected.gateway) : nullptr;
  std::optional<LogTimes> known;
  if (plan != nullptr) known.emplace(*plan);
  const LogTimes* times = known ? &*known : nullptr;
  if (expected.lines) lines(name, *expected.lines, all, expected.place, times);
  if (expected.last) {
    const std::size_t count = std::min(expected.last->size(), all.size());
    lines(name, *expected.last, {all.end() - static_cast<std::ptrdiff_t>(count), all.end()},
          expected.place, times);
  }
}

void Judge::lines(const std::string& where, const std::vector<LineExpectation>& expected,
                  const std::vector<std::string>& actual, const world::Place& place,
                  const LogTimes* times) {
  if (expected.size() != actual.size()) {
    check(where + " lines", false, std::to_string(expected.size()),
          fmt::format("{}: {}", actual.size(), fmt::join(actual, " | ")), place);
    return;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const LineExpectation& line = expected[i];
    const std::string name = fmt::format("{} line {}", where, i + 1);
    if (!line.is_json) {
      text(name, line.text,
           times != nullptr ? left_times(line.text, actual[i], *times) : actual[i]);
      continue;
    }
    const auto object = nlohmann::json::parse(actual[i], nullptr, false);
    if (!object.is_object()) {
      check(name, false, "a JSON object", actual[i], line.place);
      continue;
    }
    for (const auto& [key, value] : line.json) {
      if (times != nullptr && times->in_member(key) && leaves_time()) continue;
      text(
          name + "/" + key, value,
          object.contains(key) ? std::optional<std::string>(json_text(object[key])) : std::nullopt);
    }
  }
}

void Judge::refusal(const RefusedExpectation& expected, const world::Errors& errors,
                    std::vector<Check>& checks) {
  const auto add = [&](std::string name, bool passed, std::string wanted, std::string actual,
                       const world::Place& place) {
    Check check;
    check.name = std::move(name);
    check.passed = passed;
    check.expected = std::move(wanted);
    check.actual = std::move(actual);
    check.place = place;
    checks.push_back(std::move(check));
  };
  std::vector<std::string> all;
  for (const world::Error& error : errors) all.push_back(error.path + ": " + error.message);
  const std::string seen = all.empty() ? "the mesh is accepted" : joined(all);
  if (expected.reasons.empty()) {
    add("refused", errors.empty(), "the mesh is accepted", seen, expected.place);
    return;
  }
  for (const RefusedExpectation::Reason& reason : expected.reasons) {
    const bool found = std::any_of(errors.begin(), errors.end(), [&](const world::Error& error) {
      return (!reason.pointer || reason.pointer->holds(std::string_view(error.path))) &&
             (!reason.says || reason.says->holds(std::string_view(error.message)));
    });
    add("refused", found, reason.written, seen, reason.place);
  }
}

}  // namespace conformance
