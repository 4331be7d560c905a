#include "conformance/read_expect.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "conformance/read_balancer.h"
#include "conformance/read_parts.h"
#include "conformance/read_stream.h"

namespace conformance {

using document::Reader;
using Kind = TextExpectation::Test::Kind;

namespace {

constexpr std::array kRequestWords = {
    std::string_view("status"),   std::string_view("body"),   std::string_view("headers"),
    std::string_view("flags"),    std::string_view("route"),  std::string_view("failed"),
    std::string_view("service"),  std::string_view("log"),    std::string_view("answeredAt"),
    std::string_view("took"),     std::string_view("within"), std::string_view("protocol"),
    std::string_view("trailers"), std::string_view("reset"),  std::string_view("details"),
    std::string_view("tls")};
constexpr std::array kGrpcWords = {std::string_view("grpcStatus"), std::string_view("grpcMessage"),
                                   std::string_view("messages")};
constexpr std::array kWebSocketWords = {std::string_view("frames"), std::string_view("endedAt")};
constexpr std::array kRawWords = {std::string_view("answer"), std::string_view("answers"),
                                  std::string_view("closed")};
constexpr std::array kGroupWords = {
    std::string_view("answered"),        std::string_view("failed"),
    std::string_view("waiting"),         std::string_view("overloaded"),
    std::string_view("answeredInOrder"), std::string_view("services"),
    std::string_view("endpoints"),       std::string_view("gateways"),
    std::string_view("flags"),           std::string_view("each")};
/// Words of what a call must have come to: read_api_expectation().
constexpr std::array kCallWords = {std::string_view("error"), std::string_view("unchanged")};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_status(std::string_view text) {
  return text.size() == 3 && text[0] >= '1' && text[0] <= '9' &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<TextExpectation> optional_text(Reader& in, std::string_view key,
                                             Kind plain = Kind::Equals) {
  const auto at = in.optional(key);
  if (!at) return std::nullopt;
  return read_text(*at, plain);
}

std::optional<NumberExpectation> optional_number(Reader& in, std::string_view key) {
  const auto at = in.optional(key);
  if (!at) return std::nullopt;
  return read_number(*at);
}

/// A status may be given as a number alone, 100 to 999.
NumberExpectation read_status(const Reader& at) {
  if (at.value().is_integer() && (at.value().integer() < 100 || at.value().integer() > 999)) {
    at.fail("must be a status from 100 to 999, is " + at.value().describe());
  }
  return read_number(at);
}

/// What a step is, and what its messages are.
struct StepContext {
  StepAction action = StepAction::None;
  const Names& names;
  std::shared_ptr<const Protos> protos{};
  std::optional<Protos::Method> method{};

  MessageTypes requests() const { return {protos, method ? method->request : std::string()}; }
  MessageTypes answers() const { return {protos, method ? method->response : std::string()}; }
};

std::optional<TextExpectation> optional_text_or_null(Reader& in, std::string_view key) {
  const auto at = in.optional(key);
  if (!at) return std::nullopt;
  return read_text_or_null(*at);
}

TextExpectation read_failed(const Reader& at, Kind plain) {
  if (!at.value().is_bool()) return read_text(at, plain);
  TextExpectation out;
  out.absent = !at.value().boolean();
  out.written = written_text(at.value());
  out.place = at.place();
  return out;
}

/// The certificate of that name, of those that the world has.
std::optional<TextExpectation> read_certificate(Reader& in, std::string_view key,
                                                const Names& names) {
  auto out = optional_text_or_null(in, key);
  if (!out || out->tests.size() != 1 || out->tests.front().kind != Kind::Equals) return out;
  const std::string& name = out->tests.front().text;
  if (!names.has_certificate(name)) in.fail(key, "there is no " + name + " in world.pki");
  return out;
}

TlsExpectation read_tls(Reader at, const Names& names, bool of_service) {
  TlsExpectation out;
  out.place = at.place();
  out.none = at.value().is_null();
  if (out.none || !at.expect_object()) return out;
  out.version = optional_text_or_null(at, "version");
  out.alpn = optional_text_or_null(at, "alpn");
  out.client_certificate = read_certificate(at, "clientCertificate", names);
  if (of_service) {
    out.server_name = optional_text_or_null(at, "serverName");
    at.finish();
    return out;
  }
  out.cipher = optional_text_or_null(at, "cipher");
  out.server_certificate = read_certificate(at, "serverCertificate", names);
  out.resumed = at.optional_bool("resumed");
  if (const auto failed = at.optional("failed")) out.failed = read_failed(*failed, Kind::Equals);
  if (const auto by = at.optional("refusedBy")) {
    if (by->as_choice({"client", "gateway"})) out.refused_by = read_text(*by);
  }
  out.reason = optional_text_or_null(at, "reason");
  at.finish();
  return out;
}

ServiceExpectation read_service(Reader at, const StepContext& context) {
  const Names& names = context.names;
  ServiceExpectation out;
  out.place = at.place();
  if (!at.value().is_object()) {
    if (at.value().is_string() && at.value().string() == "none") {
      out.none = true;
    } else {
      at.fail("must be none, or an object, is " + at.value().describe());
    }
    return out;
  }
  out.name = optional_text(at, "name");
  out.node = optional_text(at, "node");
  out.endpoint = optional_text(at, "endpoint");
  out.method = optional_text(at, "method");
  out.path = optional_text(at, "path");
  out.host = optional_text(at, "host");
  if (const auto body = at.optional("body")) {
    if (body->value().is_object() &&
        (body->value().find("repeat") != nullptr || body->value().find("hex") != nullptr)) {
      out.body = TextExpectation::equal_to(read_bytes(*body), body->place());
      out.body->written = written_text(body->value());
    } else {
      out.body = read_text(*body);
    }
  }
  if (const auto headers = at.optional("headers")) out.headers = read_header_expectations(*headers);
  out.protocol = optional_text(at, "protocol");
  if (const auto trailers = at.optional("trailers")) {
    out.trailers = read_header_expectations(*trailers);
  }
  if (const auto messages = at.optional("messages")) {
    out.messages = read_message_expectations(*messages, context.requests());
  }
  if (const auto frames = at.optional("frames")) out.frames = read_frame_expectations(*frames);
  if (const auto tls = at.optional("tls")) out.tls = read_tls(*tls, names, true);
  out.count = optional_number(at, "count");
  out.has_paths = at.has("paths");
  for (const Reader& path : at.optional_items("paths")) out.paths.push_back(read_text(path));
  at.finish();
  // A name that nothing has would fail at every run: say so at once.
  const auto check = [&](const std::optional<TextExpectation>& text, EntityKind kind,
                         std::string_view key) {
    if (!text || text->tests.size() != 1) return;
    const auto& test = text->tests.front();
    if (test.kind == Kind::Equals && !names.has(kind, test.text)) {
      at.fail(key, names.unknown(kind, test.text));
    }
  };
  check(out.name, EntityKind::Service, "name");
  check(out.node, EntityKind::Service, "node");
  check(out.endpoint, EntityKind::Endpoint, "endpoint");
  return out;
}

LineExpectation read_line(Reader at) {
  LineExpectation out;
  out.written = written_text(at.value());
  out.place = at.place();
  if (at.value().is_object() && at.value().find("json") != nullptr) {
    out.is_json = true;
    if (const auto json = at.optional("json"); json && json->expect_object()) {
      Reader members = *json;
      for (const auto& [member, value] : members.members()) {
        TextExpectation text;
        if (value.value().is_string()) {
          std::string error;
          text.written = value.value().string();
          text.place = value.place();
          text.tests.push_back({.kind = Kind::Matches,
                                .text = text.written,
                                .regex = compile_regex(regex_of_pattern(text.written), error)});
        } else if (value.value().is_object()) {
          text = read_text(value);
        } else {  // numbers, booleans and null are compared as JSON writes them
          text = TextExpectation::equal_to(written_text(value.value()), value.place());
        }
        out.json.emplace_back(member->key, std::move(text));
      }
    }
    at.finish();
    return out;
  }
  if (at.value().is_object()) {
    out.text = read_text(at);
    return out;
  }
  const auto text = at.as_string();
  std::string error;
  out.text.written = out.written;
  out.text.place = out.place;
  if (text) {
    out.text.tests.push_back({.kind = Kind::Matches,
                              .text = *text,
                              .regex = compile_regex(regex_of_pattern(*text), error)});
  }
  return out;
}

std::vector<LineExpectation> read_lines(const Reader& at) {
  std::vector<LineExpectation> out;
  for (const Reader& item : at.as_items()) out.push_back(read_line(item));
  return out;
}

ClosedExpectation read_closed(Reader at) {
  ClosedExpectation out;
  out.place = at.place();
  if (at.value().is_bool()) {
    out.closed = at.value().boolean();
    return out;
  }
  if (!at.value().is_object()) {
    at.fail("must be true, false or an object, is " + at.value().describe());
    return out;
  }
  if (const auto after = at.optional("after")) out.after = read_duration_expectation(*after);
  if (const auto when = at.optional("at")) out.at = read_duration_expectation(*when);
  if (!out.after && !out.at) at.fail("must have after or at");
  at.finish();
  return out;
}

/// What is known of one request. Returns whether `key` is a word of it.
bool read_request_word(RequestExpectation& out, std::string_view key, const Reader& at,
                       const StepContext& context) {
  const bool raw = context.action == StepAction::Raw;
  const bool grpc = context.action == StepAction::Grpc;
  const bool websocket = context.action == StepAction::WebSocket;
  if (key == "status") {
    out.status = read_status(at);
  } else if (key == "body") {
    if (at.value().is_object() &&
        (at.value().find("repeat") != nullptr || at.value().find("hex") != nullptr)) {
      out.body = TextExpectation::equal_to(read_bytes(at), at.place());
      out.body->written = written_text(at.value());
    } else {
      out.body = read_text(at);
    }
  } else if (key == "headers") {
    out.headers = read_header_expectations(at);
  } else if (key == "flags") {
    out.flags = read_text(at);
  } else if (key == "route") {
    out.route = read_text(at);
  } else if (key == "failed") {
    out.failed = read_failed(at, Kind::Contains);
  } else if (key == "service") {
    out.service = read_service(at, context);
  } else if (key == "log" && at.value().is_list()) {
    out.log = read_lines(at);
  } else if (key == "answeredAt") {
    out.answered_at = read_duration_expectation(at);
  } else if (key == "took") {
    out.took = read_duration_expectation(at);
  } else if (key == "within") {
    out.took = read_within(at);
  } else if (key == "protocol") {
    out.protocol = read_text(at);
  } else if (key == "trailers") {
    out.trailers = read_header_expectations(at);
  } else if (key == "details") {
    out.details = read_text_or_null(at);
  } else if (key == "tls") {
    out.tls = read_tls(at, context.names, false);
  } else if (key == "reset") {
    out.failed = TextExpectation::equal_to(
        "stream reset: " + std::string(wire::http2::name_of(read_error_code(at))), at.place());
  } else if (grpc && key == "grpcStatus") {
    NumberExpectation status;
    status.min = status.max = read_grpc_status(at);
    status.written = written_text(at.value());
    status.place = at.place();
    out.grpc_status = std::move(status);
  } else if (grpc && key == "grpcMessage") {
    out.grpc_message = read_text(at);
  } else if (grpc && key == "messages") {
    out.messages = read_message_expectations(at, context.answers());
  } else if (websocket && key == "frames") {
    out.frames = read_frame_expectations(at);
  } else if (websocket && key == "endedAt") {
    out.ended_at = read_duration_expectation(at);
  } else if (raw && key == "answer") {
    out.answer = read_text(at);
  } else if (raw && key == "answers") {
    out.has_answers = true;
    for (const Reader& item : at.as_items()) out.answers.push_back(read_status(item));
  } else if (raw && key == "closed") {
    out.closed = read_closed(at);
  } else {
    return false;
  }
  return true;
}

void read_counts_by_name(std::vector<std::pair<std::string, NumberExpectation>>& out, Reader at,
                         std::optional<EntityKind> kind, const Names& names) {
  if (!at.expect_object()) return;
  for (const auto& [member, value] : at.members()) {
    if (kind && !names.has(*kind, member->key)) {
      at.fail_key(member->key, names.unknown(*kind, member->key));
    }
    out.emplace_back(member->key, read_number(value));
  }
}

RequestExpectation read_request(Reader at, const StepContext& context);

bool read_group_word(GroupExpectation& out, std::string_view key, const Reader& at,
                     const Names& names) {
  if (is_status(key)) {
    int status = 0;
    std::from_chars(key.data(), key.data() + key.size(), status);
    out.statuses.emplace_back(status, read_number(at));
  } else if (key == "answered") {
    out.answered = read_number(at);
  } else if (key == "failed") {
    out.failed = read_number(at);
  } else if (key == "waiting") {
    out.waiting = read_number(at);
  } else if (key == "overloaded") {
    out.overloaded = read_number(at);
  } else if (key == "answeredInOrder") {
    out.answered_in_order = at.as_bool();
    out.in_order_place = at.place();
  } else if (key == "services") {
    read_counts_by_name(out.services, at, EntityKind::Service, names);
  } else if (key == "endpoints") {
    read_counts_by_name(out.endpoints, at, EntityKind::Endpoint, names);
  } else if (key == "gateways") {
    read_counts_by_name(out.gateways, at, EntityKind::Gateway, names);
  } else if (key == "flags") {
    read_counts_by_name(out.flags, at, std::nullopt, names);
  } else if (key == "each") {
    out.each = read_request(at, {StepAction::Request, names});
  } else {
    return false;
  }
  return true;
}

/// The words that an expectation of such a step may have.
std::vector<std::string_view> words_of(StepAction action) {
  std::vector<std::string_view> words(kRequestWords.begin(), kRequestWords.end());
  const auto add = [&](const auto& more) { words.insert(words.end(), more.begin(), more.end()); };
  if (action == StepAction::Raw) add(kRawWords);
  if (action == StepAction::Grpc) add(kGrpcWords);
  if (action == StepAction::WebSocket) add(kWebSocketWords);
  return words;
}

RequestExpectation read_request(Reader at, const StepContext& context) {
  RequestExpectation out;
  out.place = at.place();
  if (!at.expect_object()) return out;
  const std::vector<std::string_view> words = words_of(context.action);
  for (const std::string_view word : words) at.ignore(word);
  for (const document::Member& member : at.value().object()) {
    read_request_word(out, member.key, *at.optional(member.key), context);
    // An unknown word has become known by asking: it is reported here.
    if (std::find(words.begin(), words.end(), member.key) == words.end()) {
      at.fail_key(member.key, "is not known here");
    }
  }
  return out;
}

GroupExpectation read_group(Reader at, const Names& names) {
  GroupExpectation out;
  out.place = at.place();
  if (!at.expect_object()) return out;
  for (const auto& [member, value] : at.members()) {
    if (!read_group_word(out, member->key, value, names)) {
      at.fail_key(member->key, "is not known here");
    }
  }
  return out;
}

}  // namespace

std::optional<std::pair<EntityKind, std::string>> entity_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto kind = entity_from_word(text.substr(0, slash));
  if (!kind) return std::nullopt;
  return std::pair(*kind, std::string(text.substr(slash + 1)));
}

namespace {

std::string field_problem(EntityKind kind, std::string_view field) {
  const auto& fields = fields_of(kind);
  const std::string near = document::nearest(field, fields);
  return near.empty() ? fmt::format("is not known here; there is {}", fmt::join(fields, ", "))
                      : fmt::format("is not known here; did you mean {}?", near);
}

bool is_field(EntityKind kind, std::string_view field) {
  const auto& fields = fields_of(kind);
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

/// `endpoint/books-1: healthy`: all that have an opinion are of that one.
bool read_health(std::vector<CountExpectation>& out, const Reader& at, EntityKind kind,
                 const std::string& name) {
  if (!at.value().is_string()) return false;
  const auto choice = at.as_choice({"healthy", "unhealthy"});
  if (!choice) return true;
  if (kind == EntityKind::Client || kind == EntityKind::Balancer) {
    at.fail("must be an object: its health is nobody's concern");
    return true;
  }
  const std::string written = at.value().string();
  const auto add = [&](const char* field, std::optional<std::int64_t> min,
                       std::optional<std::int64_t> max) {
    out.push_back({{kind, name, field}, {min, max, false, written, at.place()}});
  };
  add(*choice == 0 ? "healthy" : "unhealthy", 1, std::nullopt);
  add(*choice == 0 ? "unhealthy" : "healthy", 0, 0);
  return true;
}

/// `{ turns: unhealthy, within: [9s, 11s], after: { failedChecks: 2 } }`.
TurnExpectation read_turn(Reader at, EntityKind kind, const std::string& name) {
  TurnExpectation out;
  out.kind = kind;
  out.name = name;
  out.place = at.place();
  if (const auto turns = at.required("turns")) {
    const auto choice = turns->as_choice({"healthy", "unhealthy"});
    out.healthy = choice == 0U;
  }
  if (kind == EntityKind::Client || kind == EntityKind::Balancer) {
    at.fail_key("turns", "must be of a gateway, a service or an endpoint: nobody checks this");
  }
  if (const auto within = at.optional("within")) {
    out.within = read_within(*within);
    if (out.within->max < out.within->min) within->fail("must not end before it begins");
  }
  if (auto after = at.optional("after"); after && after->expect_object()) {
    if (after->value().object().empty()) after->fail("must have failedChecks or passedChecks");
    out.failed_checks = optional_number(*after, "failedChecks");
    out.passed_checks = optional_number(*after, "passedChecks");
    after->finish();
  }
  at.finish();
  return out;
}

}  // namespace

void read_counts(Expectation& out, Reader at, EntityKind kind, const std::string& name,
                 const Names& names) {
  if (read_health(out.counts, at, kind, name)) return;
  if (!at.expect_object()) return;
  if (at.value().object().empty()) at.fail("must not be empty");
  if (at.has("turns")) {
    out.turns.push_back(read_turn(at, kind, name));
    return;
  }
  if (kind == EntityKind::Balancer) {
    if (auto balancer = read_balancer_expectation(at, name, names)) {
      out.balancers.push_back(std::move(*balancer));
    }
  }
  for (const auto& [member, value] : at.members()) {
    const bool read = member->key == "targets" || member->key == "zones";
    if (kind == EntityKind::Balancer && read) continue;
    if (member->key == "within" || member->key == "after") {
      at.fail_key(member->key, "goes with turns");
      continue;
    }
    if (!is_field(kind, member->key)) {
      at.fail_key(member->key, field_problem(kind, member->key));
      continue;
    }
    out.counts.push_back({{kind, name, member->key}, read_number(value)});
  }
}

namespace {

LogExpectation read_log(Reader at, const Names& names) {
  LogExpectation out;
  out.place = at.place();
  if (!at.expect_object()) return out;
  if (const auto gateway = at.optional("gateway")) {
    out.gateway = gateway->as_string({1}).value_or("");
    if (!out.gateway.empty() && !names.has(EntityKind::Gateway, out.gateway)) {
      gateway->fail(names.unknown(EntityKind::Gateway, out.gateway));
    }
  }
  if (auto path = at.optional_string("path", {1})) out.path = std::move(*path);
  if (const auto lines = at.optional("lines")) {
    if (lines->value().is_list()) {
      out.lines = read_lines(*lines);
    } else {
      out.count = read_number(*lines);
    }
  }
  if (const auto last = at.optional("last")) out.last = read_lines(*last);
  if (!out.lines && !out.count && !out.last) at.fail("must have lines or last");
  at.finish();
  return out;
}

}  // namespace

bool is_free_name(std::string_view text) {
  if (!is_name(text) || is_status(text) || text == "refused") return false;
  return !contains(kRequestWords, text) && !contains(kRawWords, text) &&
         !contains(kGrpcWords, text) && !contains(kWebSocketWords, text) &&
         !contains(kGroupWords, text) && !contains(kCallWords, text);
}

namespace {

StepAction action_of(Named what) {
  switch (what) {
    case Named::Request:
      return StepAction::Request;
    case Named::Grpc:
      return StepAction::Grpc;
    case Named::WebSocket:
      return StepAction::WebSocket;
    case Named::Group:
      return StepAction::Group;
    case Named::Raw:
      break;
  }
  return StepAction::Raw;
}

}  // namespace

Expectation read_expect(Reader at, StepAction action, const ExpectContext& context,
                        const std::optional<Protos::Method>& method) {
  const NamedSteps& named = context.named;
  const Names& names = context.names;
  const StepContext own{action, names, context.protos, method};
  Expectation out;
  if (!at.expect_object()) return out;
  if (at.value().object().empty()) at.fail("must not be empty");
  const bool request = action != StepAction::None && action != StepAction::Group;

  // All words that could stand here, for "did you mean".
  std::vector<std::string> words;
  const auto add = [&](const auto& list) { words.insert(words.end(), list.begin(), list.end()); };
  if (request) add(words_of(action));
  if (action == StepAction::Group) add(kGroupWords);
  if (!request) words.emplace_back("log");
  for (const auto& [name, what] : named) words.push_back(name);

  for (const auto& [member, value] : at.members()) {
    const std::string& key = member->key;
    if (request) {
      if (!out.request) out.request.emplace().place = at.place();
      if (read_request_word(*out.request, key, value, own)) continue;
    }
    if (action == StepAction::Group) {
      if (!out.group) out.group.emplace().place = at.place();
      if (read_group_word(*out.group, key, value, names)) continue;
    }
    if (key == "log") {
      out.logs.push_back(read_log(value, names));
      continue;
    }
    if (const auto found = named.find(key); found != named.end()) {
      if (found->second.what == Named::Group) {
        out.named_groups.emplace_back(key, read_group(value, names));
      } else {
        const StepContext of{action_of(found->second.what), names, context.protos,
                             found->second.method};
        out.named_requests.emplace_back(key, read_request(value, of));
      }
      continue;
    }
    if (const auto entity = entity_of(key)) {
      if (!names.has(entity->first, entity->second)) {
        at.fail_key(key, names.unknown(entity->first, entity->second));
      }
      read_counts(out, value, entity->first, entity->second, names);
      continue;
    }
    if (contains(kCallWords, key)) {
      at.fail_key(key, "goes with call");
      continue;
    }
    const std::string near = document::nearest(key, words);
    at.fail_key(key, near.empty() ? "is not known here"
                                  : fmt::format("is not known here; did you mean {}?", near));
  }
  return out;
}

RefusedExpectation read_refused(Reader expect) {
  RefusedExpectation out;
  const auto at = expect.required("refused");
  expect.finish();
  if (!at) return out;
  out.place = at->place();
  if (at->value().is_bool()) {
    if (at->value().boolean()) {
      out.reasons.push_back({.pointer = {}, .says = {}, .written = "true", .place = at->place()});
    }
    return out;
  }
  for (const Reader& item : at->as_items({1})) {
    Reader in = item;
    RefusedExpectation::Reason reason;
    reason.written = written_text(in.value());
    reason.place = in.place();
    if (in.expect_object()) {
      reason.pointer = optional_text(in, "pointer");
      reason.says = optional_text(in, "says", Kind::Contains);
      in.finish();
    }
    out.reasons.push_back(std::move(reason));
  }
  return out;
}

namespace {

std::optional<Observable> observable_of(std::string_view text, const Reader& at,
                                        const Names& names) {
  const auto entity = entity_of(text);
  const std::size_t dot = text.rfind('.');
  if (!entity || dot == std::string_view::npos) {
    at.fail(fmt::format("must be like gateway/edge.activeConnections, is {}", text));
    return std::nullopt;
  }
  const std::size_t slash = text.find('/');
  Observable out{entity->first, std::string(text.substr(slash + 1, dot - slash - 1)),
                 std::string(text.substr(dot + 1))};
  if (!names.has(out.kind, out.name)) {
    at.fail(names.unknown(out.kind, out.name));
    return std::nullopt;
  }
  if (!is_field(out.kind, out.field)) {
    at.fail(out.field + " " + field_problem(out.kind, out.field));
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::optional<Invariant> read_invariant(const Reader& at, const Names& names) {
  const auto text = at.as_string({1});
  if (!text) return std::nullopt;
  Invariant out;
  out.written = *text;
  out.place = at.place();
  if (*text == "every request is answered once") {
    out.kind = Invariant::Kind::AnsweredOnce;
    return out;
  }
  using Comparison = Invariant::Comparison;
  constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons = {
      {{" <= ", Comparison::AtMost},
       {" >= ", Comparison::AtLeast},
       {" == ", Comparison::Equal},
       {" != ", Comparison::Unequal},
       {" < ", Comparison::Less},
       {" > ", Comparison::More}}};
  for (const auto& [sign, comparison] : kComparisons) {
    const std::size_t found = text->find(sign);
    if (found == std::string::npos) continue;
    const auto left = observable_of(std::string_view(*text).substr(0, found), at, names);
    if (!left) return std::nullopt;
    out.left = *left;
    out.comparison = comparison;
    const std::string_view right = std::string_view(*text).substr(found + sign.size());
    const auto [end, error] =
        std::from_chars(right.data(), right.data() + right.size(), out.number);
    if (error == std::errc() && end == right.data() + right.size()) return out;
    out.right = observable_of(right, at, names);
    if (!out.right) return std::nullopt;
    return out;
  }
  at.fail(
      "must be \"THING.NUMBER <= N\" (or <, ==, !=, >=, >), or \"every request is answered once\"");
  return std::nullopt;
}

}  // namespace conformance
