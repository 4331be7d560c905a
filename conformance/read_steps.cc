#include "conformance/read_steps.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "conformance/read_api.h"
#include "conformance/read_balancer.h"
#include "conformance/read_expect.h"
#include "conformance/read_fault.h"
#include "conformance/read_parts.h"
#include "conformance/read_stream.h"
#include "conformance/read_tls.h"
#include "conformance/read_world.h"
#include "conformance/units.h"

namespace conformance {

using document::Reader;

namespace {

constexpr std::uint64_t kMostRequests = 10'000'000;
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMethods = {
    {{"get", "GET"},
     {"head", "HEAD"},
     {"post", "POST"},
     {"put", "PUT"},
     {"delete", "DELETE"},
     {"options", "OPTIONS"},
     {"trace", "TRACE"},
     {"patch", "PATCH"}}};
bool is_method(std::string_view text) {
  constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  });
}

class StepsReader {
 public:
  StepsReader(const WorldSetup& world, const mesh::Mesh& mesh, const Names& names,
              std::shared_ptr<const Protos> protos)
      : world_(world), mesh_(mesh), names_(names), protos_(std::move(protos)) {}

  std::vector<Step> read(const Reader& at) {
    std::vector<Step> steps;
    for (const Reader& item : at.as_items({1})) {
      Step step;
      step.index = steps.size();
      read_step(step, item);
      steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
  void read_step(Step& step, Reader at) {
    step.place = at.place();
    if (!at.expect_object()) return;
    read_time(step, at);
    StepAction action = StepAction::None;
    std::optional<Protos::Method> method;
    const auto which = at.one_of({"request", "requests", "raw", "wait", "grpc", "websocket",
                                  "register", "deregister", "set", "call"},
                                 false);
    if (which == 0U) {
      action = StepAction::Request;
      step.request = read_request(*at.optional("request"), false);
    } else if (which == 1U) {
      action = StepAction::Group;
      step.request = read_request(*at.optional("requests"), true);
    } else if (which == 2U) {
      action = StepAction::Raw;
      step.raw = read_raw(*at.optional("raw"));
    } else if (which == 3U) {
      step.wait = read_optional_duration(at, "wait");
    } else if (which == 4U) {
      action = StepAction::Grpc;
      step.request = read_grpc(*at.optional("grpc"), method);
    } else if (which == 5U) {
      action = StepAction::WebSocket;
      step.request = read_websocket(*at.optional("websocket"));
    } else if (which == 6U || which == 7U) {
      const bool leaves = which == 7U;
      step.registration = read_registration(*at.optional(leaves ? "deregister" : "register"),
                                            leaves, world_, names_);
    } else if (which == 8U) {
      step.set = read_set(*at.optional("set"));
    } else if (which == 9U) {
      read_api(step, at);
    }
    step.fault = read_fault(at, world_, mesh_, names_, protos_);
    if (step.fault && step.fault->ends_at && step.at && *step.fault->ends_at <= *step.at) {
      at.fail("until",
              fmt::format("must be after {}, when the fault begins", duration_text(*step.at)));
    }
    step.until = read_until(at, names_);
    if (const auto expect = at.optional("expect"); expect && which != 9U) {
      if (expect->value().find("refused") != nullptr) {
        expect->fail("refused", "must be the only step: nothing runs where a mesh is refused");
      } else {
        step.expect = read_expect(*expect, action, {named_, names_, protos_}, method);
      }
    }
    const bool acts = which || at.has("expect") || at.has("fault") || at.has("until");
    if (!acts && at.value().object().size() <= 1) {
      at.fail(
          "must have one of request, requests, grpc, websocket, raw, register, deregister, fault, "
          "set, call, wait, until, expect");
    }
    at.finish();
    if (step.request && !step.request->name.empty()) {
      const Named what = action == StepAction::Group       ? Named::Group
                         : action == StepAction::Grpc      ? Named::Grpc
                         : action == StepAction::WebSocket ? Named::WebSocket
                                                           : Named::Request;
      named_[step.request->name] = {what, method};
    }
    if (step.raw && !step.raw->name.empty()) named_[step.raw->name] = {Named::Raw, {}};
  }

  void read_time(Step& step, Reader& at) {
    const auto time = at.optional("at");
    if (!time) return;
    step.at = read_duration(*time);
    if (!step.at) return;
    if (*step.at < latest_) {
      time->fail(
          fmt::format("must not be before {}, where an earlier step is", duration_text(latest_)));
    }
    latest_ = std::max(latest_, *step.at);
  }

  void read_api(Step& step, Reader& at) const {
    step.call = read_call(*at.optional("call"), mesh_.name);
    std::string account(kOwnerAccount);
    if (const auto as = at.optional("as")) account = read_account(*as);
    if (step.call) step.call->account = account;
    if (const auto expect = at.optional("expect")) step.answered = read_api_expectation(*expect);
  }

  Materials read_set(Reader at) const {
    Materials out;
    if (!at.expect_object()) return out;
    out = read_materials(at, world_.pki);
    if (at.value().object().empty()) at.fail("must have files, secrets or acm");
    at.finish();
    return out;
  }

  void read_name(std::string& to, Reader& at) {
    const auto name = at.optional("as");
    if (!name) return;
    const auto text = name->as_string({1, 100});
    if (!text) return;
    if (!is_free_name(*text)) {
      name->fail("must be a name of letters, digits, - and _ that is no word of expect, is " +
                 name->value().describe());
      return;
    }
    if (named_.count(*text) != 0) name->fail("is taken by an earlier step");
    to = *text;
  }

  std::string read_client(Reader& at) {
    const auto from = at.optional("from");
    if (!from) {
      if (world_.clients.size() != 1) {
        at.fail("must have from, as there are several clients: " + clients_text());
      }
      return world_.clients.front().name;
    }
    std::string name = from->as_string({1}).value_or("");
    if (!name.empty() && !names_.has(EntityKind::Client, name)) {
      from->fail(names_.unknown(EntityKind::Client, name));
    }
    return name;
  }

  std::string clients_text() const {
    std::vector<std::string> names;
    for (const ClientSetup& client : world_.clients) names.push_back(client.name);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  /// "http://edge:9080/x": the authority is sent as it stands here; the port, if there is none, is
  /// that of the gateway's listener.
  void take_url(RequestAction& to, const Reader& at, std::string_view method,
                const std::string& url) {
    if (!is_method(method)) {
      at.fail(fmt::format("must begin with a method, such as GET, is \"{}\"", method));
      return;
    }
    auto request = peers::parse_url(method, url, true);
    if (!request) {
      at.fail(request.error().message);
      return;
    }
    const std::string authority = authority_of(url);
    if (!has_port(authority)) {
      request->port = names_.gateway_port(request->host).value_or(request->port);
    }
    request->headers = std::move(to.request.headers);
    request->body = std::move(to.request.body);
    request->chunks = std::move(to.request.chunks);
    request->timeout = to.request.timeout;
    request->await_continue = to.request.await_continue;
    request->pieces = std::move(to.request.pieces);
    request->trailers = std::move(to.request.trailers);
    request->cancel_after = to.request.cancel_after;
    request->websocket = std::move(to.request.websocket);
    if (peers::find_header(request->headers, "host") == nullptr) {
      request->headers.insert(request->headers.begin(), {"host", authority});
    }
    to.request = std::move(*request);
    to.url = url;
  }

  static std::string authority_of(std::string_view url) {
    const std::size_t begin = url.find("://") + 3;
    return std::string(url.substr(begin, url.find_first_of("/?#", begin) - begin));
  }
  static bool has_port(std::string_view authority) {
    return authority.find(':') != std::string_view::npos;
  }

  RequestAction read_request(Reader at, bool group) {
    RequestAction out;
    out.is_group = group;
    if (!group && at.value().is_string()) {
      out.client = world_.clients.front().name;
      if (world_.clients.size() != 1) {
        at.fail("must be an object with from, as there are several clients: " + clients_text());
      }
      const std::string& text = at.value().string();
      const std::size_t space = text.find(' ');
      if (space == std::string::npos) {
        at.fail("must be METHOD URL, is " + at.value().describe());
        return out;
      }
      take_url(out, at, text.substr(0, space), text.substr(space + 1));
      out.request.protocol = default_protocol(out.request);
      return out;
    }
    if (!at.value().is_object()) {
      at.fail(group ? "must be an object, is " + at.value().describe()
                    : "must be METHOD URL or an object, is " + at.value().describe());
      return out;
    }
    out.client = read_client(at);
    read_name(out.name, at);
    if (const auto headers = at.optional("headers")) out.request.headers = read_headers(*headers);
    if (const auto body = at.optional("body")) out.request.body = read_bytes(*body);
    const auto chunks = at.optional("chunks");
    const bool pauses = chunks && has_pause(*chunks);
    if (pauses) {
      out.request.pieces = read_body_pieces(*chunks);
    } else if (chunks) {
      for (const Reader& chunk : chunks->as_items({1})) {
        out.request.chunks.push_back(read_bytes(chunk));
      }
    }
    if (const auto trailers = at.optional("trailers")) {
      out.request.trailers = read_headers(*trailers);
    }
    out.request.cancel_after = read_optional_duration(at, "cancelAfter");
    if (at.has("body") && at.has("chunks")) at.fail_key("chunks", "must not be given beside body");
    out.request.timeout = read_optional_duration(at, "timeout");
    out.request.await_continue = at.optional_bool("awaitContinue").value_or(false);
    if (const auto connections = at.optional("connections")) {
      out.connections = read_connections(*connections);
    }
    if (const auto tls = at.optional("tls")) out.tls = read_client_tls(*tls, world_.pki);
    if (group) {
      const auto count = at.optional_integer("count", 1, kMostRequests);
      out.count = static_cast<std::uint64_t>(count.value_or(1));
      out.every = read_optional_duration(at, "every").value_or(Duration{});
    }
    read_target(out, at);
    if (const auto to = at.optional("to")) read_destination(out, *to);
    out.request.protocol = default_protocol(out.request);
    if (const auto protocol = at.optional("protocol")) {
      const auto choice = protocol->as_choice({"http1", "http2"});
      if (choice) {
        out.request.protocol = *choice == 0 ? peers::Protocol::Http1 : peers::Protocol::Http2;
      }
    }
    if (out.request.protocol == peers::Protocol::Http1) {
      if (at.has("trailers")) at.fail_key("trailers", "needs protocol: http2");
      if (pauses) at.fail_key("chunks", "must not have pauses without protocol: http2; see raw");
    }
    at.finish();
    return out;
  }

  /// What is spoken where the request goes.
  peers::Protocol default_protocol(const peers::RequestSpec& request) const {
    const auto protocol = names_.gateway_protocol(request.host, request.port);
    return protocol && is_http2(*protocol) ? peers::Protocol::Http2 : peers::Protocol::Http1;
  }

  /// What calls and WebSockets have in common with requests.
  RequestAction read_common(Reader& at, std::string_view url_key, std::string_view headers_key) {
    RequestAction out;
    if (!at.expect_object()) return out;
    out.client = read_client(at);
    read_name(out.name, at);
    if (const auto headers = at.optional(headers_key)) out.request.headers = read_headers(*headers);
    out.request.timeout = read_optional_duration(at, "timeout");
    out.request.cancel_after = read_optional_duration(at, "cancelAfter");
    if (const auto tls = at.optional("tls")) out.tls = read_client_tls(*tls, world_.pki);
    if (const auto url = at.required(url_key)) {
      if (auto text = url->as_string({1})) {
        if (text->rfind("ws://", 0) == 0) text->replace(0, 5, "http://");
        if (text->rfind("wss://", 0) == 0) text->replace(0, 6, "https://");
        take_url(out, *url, "GET", *text);
      }
    }
    if (const auto to = at.optional("to")) read_destination(out, *to);
    return out;
  }

  RequestAction read_grpc(Reader at, std::optional<Protos::Method>& method) {
    RequestAction out = read_common(at, "call", "metadata");
    out.is_grpc = true;
    if (protos_ != nullptr) method = protos_->method(out.request.target);
    if (const auto connections = at.optional("connections")) {
      out.connections = read_connections(*connections);
    }
    std::vector<peers::GrpcMessage> messages;
    if (const auto list = at.optional("messages")) {
      messages = read_grpc_messages(*list, {protos_, method ? method->request : std::string()});
    }
    const std::string target = out.request.target;
    out.request = peers::grpc_call(std::move(out.request), target, messages);
    at.finish();
    return out;
  }

  RequestAction read_websocket(Reader at) {
    RequestAction out = read_common(at, "open", "headers");
    peers::WebSocketScript script;
    if (const auto send = at.optional("send")) script.steps = read_websocket_steps(*send);
    out.request.websocket = std::make_shared<const peers::WebSocketScript>(std::move(script));
    at.finish();
    return out;
  }

  void read_target(RequestAction& out, Reader& at) {
    std::optional<std::size_t> given;
    for (std::size_t i = 0; i < kMethods.size(); ++i) {
      if (!at.has(kMethods[i].first)) continue;
      if (given) at.fail_key(kMethods[i].first, "must not be given beside another method");
      given = i;
    }
    if (given) {
      if (at.has("url") || at.has("method")) at.fail("must not have both a method's word and url");
      const Reader url = *at.optional(kMethods[*given].first);
      if (const auto text = url.as_string({1})) take_url(out, url, kMethods[*given].second, *text);
      return;
    }
    const auto method = at.optional("method");
    const auto url = at.optional("url");
    if (!url) {
      at.fail("must have a method with a URL, such as get: http://edge/, or method and url");
      return;
    }
    std::string word = "GET";
    if (method) {
      word = method->as_string({1}).value_or(word);
      if (!is_method(word)) {
        method->fail("must be a method, is " + method->value().describe());
        return;
      }
    }
    if (const auto text = url->as_string({1})) take_url(out, *url, word, *text);
  }

  /// `to`: where the connection goes, whatever the URL says.
  void read_destination(RequestAction& out, const Reader& at) {
    const auto text = at.as_string({1});
    if (!text) return;
    std::string host;
    std::uint16_t port = 0;
    if (!split_destination(at, *text, host, port)) return;
    if (out.request.secure()) keep_server_name(out);
    out.request.host = host;
    out.request.port = port;
  }

  /// What TLS asks for is what the URL says, wherever the connection goes.
  void keep_server_name(RequestAction& out) const {
    if (!out.tls) {
      for (const ClientSetup& client : world_.clients) {
        if (client.name == out.client) out.tls = client.tls;
      }
    }
    if (out.tls && !out.tls->server_name) out.tls->server_name = out.request.host;
  }

  bool split_destination(const Reader& at, const std::string& text, std::string& host,
                         std::uint16_t& port) const {
    const auto url = peers::parse_url("GET", "http://" + text);
    if (!url || url->target != "/" || text.find('/') != std::string::npos) {
      at.fail("must be HOST or HOST:PORT, is " + at.value().describe());
      return false;
    }
    host = url->host;
    port = has_port(text) ? url->port : names_.gateway_port(host).value_or(url->port);
    return true;
  }

  RawAction read_raw(Reader at) {
    RawAction out;
    if (!at.expect_object()) return out;
    read_name(out.name, at);
    if (at.one_of({"to", "on"}) == 1U) {
      const auto on = at.optional("on");
      out.on = on->as_string({1}).value_or("");
      const auto found = named_.find(out.on);
      if (!out.on.empty() && (found == named_.end() || found->second.what != Named::Raw)) {
        on->fail("must name an earlier raw step, is " + on->value().describe());
      }
      if (at.has("sourcePort")) at.fail_key("sourcePort", "must not be given beside on");
      if (at.has("from")) at.fail_key("from", "must not be given beside on");
    } else {
      out.client = read_client(at);
      if (const auto to = at.optional("to")) {
        out.to = to->as_string({1}).value_or("");
        if (!out.to.empty()) split_destination(*to, out.to, out.host, out.port);
      }
    }
    if (const auto port = at.optional_integer("sourcePort", 1024, 65535)) {
      out.source_port = static_cast<std::uint16_t>(*port);
    }
    if (const auto send = at.optional("send")) read_send(out, *send);
    const auto ending = at.one_of({"finish", "close", "reset"}, false);
    constexpr std::string_view kWords[] = {"finish", "close", "reset"};
    constexpr RawAction::Ending kEndings[] = {RawAction::Ending::Finish, RawAction::Ending::Close,
                                              RawAction::Ending::Reset};
    if (ending && at.optional_bool(kWords[*ending]).value_or(false)) {
      out.ending = kEndings[*ending];
    }
    out.wait = read_optional_duration(at, "wait");
    at.finish();
    return out;
  }

  static void read_send(RawAction& out, const Reader& at) {
    Duration pause{};
    const auto add = [&](const Reader& item) {
      if (item.value().is_object() && item.value().find("pause") != nullptr) {
        Reader in = item;
        pause += read_optional_duration(in, "pause").value_or(Duration{});
        in.finish();
        return;
      }
      for (BytesPiece& piece : read_raw_pieces(item)) {
        out.pieces.push_back({std::move(piece.bytes), piece.times, pause});
        pause = {};
      }
    };
    if (at.value().is_list()) {
      for (const Reader& item : at.as_items()) add(item);
    } else {
      add(at);
    }
    if (pause > Duration::zero()) out.pieces.push_back({{}, 1, pause});
  }

  const WorldSetup& world_;
  const mesh::Mesh& mesh_;
  const Names& names_;
  std::shared_ptr<const Protos> protos_;
  NamedSteps named_;
  Duration latest_{};
};

}  // namespace

std::vector<Step> read_steps(const Reader& at, const WorldSetup& world, const mesh::Mesh& mesh,
                             const Names& names, const std::shared_ptr<const Protos>& protos) {
  return StepsReader(world, mesh, names, protos).read(at);
}

}  // namespace conformance
