#include "proxy/access_log.h"

#include <algorithm>
#include <charconv>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace proxy {
namespace {

constexpr std::string_view kDefaultFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

struct FlagName {
  ResponseFlag flag;
  std::string_view name;
};

std::string uri_names(const wire::tls::Agreed& tls) {
  std::string out;
  for (const wire::tls::SubjectName& name : tls.peer_names) {
    if (name.kind != wire::tls::SubjectName::Kind::Uri) continue;
    out += (out.empty() ? "" : ",") + name.text;
  }
  return out;
}

// In the order in which the real proxy prints them, which is that in which it sets them: why there
// is no further try comes before what became of the last one.
// Source: ENV-HTTP-80, ENV-POOL-32 for URX; Envoy 1.40 with max_retries 0 says UO,UF and UO,UC and
// UO,UT.
constexpr FlagName kFlagNames[] = {
    {ResponseFlag::NoHealthyUpstream, "UH"}, {ResponseFlag::RetryLimit, "URX"},
    {ResponseFlag::UpstreamOverflow, "UO"},  {ResponseFlag::UpstreamFailure, "UF"},
    {ResponseFlag::NoRoute, "NR"},           {ResponseFlag::UpstreamTimeout, "UT"},
    {ResponseFlag::DownstreamClosed, "DC"},  {ResponseFlag::UpstreamReset, "UR"},
    {ResponseFlag::UpstreamClosed, "UC"},    {ResponseFlag::DownstreamReset, "DR"},
    {ResponseFlag::StreamIdle, "SI"},        {ResponseFlag::DownstreamProtocol, "DPE"},
    {ResponseFlag::UpstreamProtocol, "UPE"}, {ResponseFlag::DurationTimeout, "DT"},
    {ResponseFlag::NoCluster, "NC"},
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// "2026-01-01T00:00:00.002Z".
void append_time(std::string& out, world::CalendarTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(at - seconds).count();
  fmt::format_to(std::back_inserter(out), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                 fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())), millis);
}

std::string_view request_value(const LogEntry& entry, std::string_view name) {
  if (name == ":method") return entry.method;
  if (name == ":path") return entry.path;
  if (name == ":authority" || name == "host") return entry.authority;
  if (name == ":scheme") return entry.scheme;
  return entry.request != nullptr ? entry.request->get(name) : std::string_view();
}

std::int64_t millis(world::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
  (void)error;  // 24 digits hold every number
  out.append(digits, end);
}

}  // namespace

void LogEntry::tell_origin(const Origin* origin) {
  if (origin == nullptr) return;
  if (origin->announced) announced = &*origin->announced;
  if (origin->tls) tls = &*origin->tls;
  downstream_failure = origin->failure;
}

std::string flags_text(std::uint16_t flags) {
  if (flags == 0) return "-";
  std::string out;
  for (const auto& [flag, name] : kFlagNames) {
    if ((flags & static_cast<std::uint16_t>(flag)) == 0) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

enum class LogFormat::Operator : std::uint8_t {
  Literal,
  StartTime,
  Request,
  Response,
  Protocol,
  ResponseCode,
  ResponseFlags,
  Details,
  Termination,
  BytesReceived,
  BytesSent,
  Took,
  UpstreamHost,
  UpstreamCluster,
  UpstreamLocalAddress,
  TransportFailure,
  DownstreamFailure,
  ServerName,
  TlsVersion,
  TlsCipher,
  PeerSubject,
  PeerUriNames,
  Attempts,
  RouteName,
  GrpcStatus,
  DownstreamRemote,
  DownstreamRemoteNoPort,
  DownstreamDirect,
  DownstreamDirectNoPort,
  DownstreamLocal,
  DownstreamLocalNoPort,
  DownstreamLocalPort,
  LocalReplyBody,
  Absent,  // known to the real proxy, and never set in this one
};

bool LogFormat::is_number(Operator what) {
  switch (what) {
    case Operator::ResponseCode:
    case Operator::BytesReceived:
    case Operator::BytesSent:
    case Operator::Took:
    case Operator::Attempts:
    case Operator::DownstreamLocalPort:
      return true;
    default:
      return false;
  }
}

world::Result<std::vector<LogFormat::Item>> LogFormat::parse(std::string_view format) {
  static constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"START_TIME", Operator::StartTime},
      {"REQ", Operator::Request},
      {"RESP", Operator::Response},
      {"TRAILER", Operator::Absent},
      {"PROTOCOL", Operator::Protocol},
      {"RESPONSE_CODE", Operator::ResponseCode},
      {"RESPONSE_FLAGS", Operator::ResponseFlags},
      {"RESPONSE_CODE_DETAILS", Operator::Details},
      {"CONNECTION_TERMINATION_DETAILS", Operator::Termination},
      {"BYTES_RECEIVED", Operator::BytesReceived},
      {"BYTES_SENT", Operator::BytesSent},
      {"DURATION", Operator::Took},
      {"UPSTREAM_HOST", Operator::UpstreamHost},
      {"UPSTREAM_REMOTE_ADDRESS", Operator::UpstreamHost},
      {"UPSTREAM_CLUSTER", Operator::UpstreamCluster},
      {"UPSTREAM_CLUSTER_RAW", Operator::UpstreamCluster},
      {"UPSTREAM_LOCAL_ADDRESS", Operator::UpstreamLocalAddress},
      {"UPSTREAM_TRANSPORT_FAILURE_REASON", Operator::TransportFailure},
      {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", Operator::DownstreamFailure},
      {"UPSTREAM_REQUEST_ATTEMPT_COUNT", Operator::Attempts},
      {"ROUTE_NAME", Operator::RouteName},
      {"GRPC_STATUS", Operator::GrpcStatus},
      {"GRPC_STATUS_NUMBER", Operator::GrpcStatus},
      {"DOWNSTREAM_REMOTE_ADDRESS", Operator::DownstreamRemote},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Operator::DownstreamDirect},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Operator::DownstreamDirectNoPort},
      {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::DownstreamRemoteNoPort},
      {"DOWNSTREAM_LOCAL_ADDRESS", Operator::DownstreamLocal},
      {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::DownstreamLocalNoPort},
      {"DOWNSTREAM_LOCAL_PORT", Operator::DownstreamLocalPort},
      {"LOCAL_REPLY_BODY", Operator::LocalReplyBody},
      {"REQUESTED_SERVER_NAME", Operator::ServerName},
      {"DOWNSTREAM_TLS_VERSION", Operator::TlsVersion},
      {"DOWNSTREAM_TLS_CIPHER", Operator::TlsCipher},
      {"DOWNSTREAM_PEER_SUBJECT", Operator::PeerSubject},
      {"DOWNSTREAM_PEER_URI_SAN", Operator::PeerUriNames},
      {"DYNAMIC_METADATA", Operator::Absent},
      {"FILTER_STATE", Operator::Absent},
      {"HOSTNAME", Operator::Absent},
  };

  std::vector<Item> items;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) items.push_back({Operator::Literal, std::exchange(literal, {}), {}, 0});
  };
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      literal += format[i];
      continue;
    }
    if (i + 1 < format.size() && format[i + 1] == '%') {
      literal += '%';
      ++i;
      continue;
    }
    const std::size_t end = format.find('%', i + 1);
    if (end == std::string_view::npos) {
      return world::Error{{}, fmt::format("the operator at character {} has no closing %", i + 1)};
    }
    std::string_view body = format.substr(i + 1, end - i - 1);
    i = end;
    Item item;
    const std::size_t open = body.find('(');
    std::string_view name = body.substr(0, open);
    std::string_view after;
    if (open != std::string_view::npos) {
      const std::size_t close = body.find(')', open);
      if (close == std::string_view::npos) {
        return world::Error{{}, fmt::format("%{}% has no closing parenthesis", body)};
      }
      const std::string_view argument = body.substr(open + 1, close - open - 1);
      const std::size_t question = argument.find('?');
      item.text = lower_case(argument.substr(0, question));
      if (question != std::string_view::npos) {
        item.alternative = lower_case(argument.substr(question + 1));
      }
      after = body.substr(close + 1);
    } else if (const std::size_t colon = body.find(':'); colon != std::string_view::npos) {
      name = body.substr(0, colon);
      after = body.substr(colon);
    }
    if (!after.empty()) {
      const char* last = after.data() + after.size();
      const auto [stop, error] = std::from_chars(after.data() + 1, last, item.limit);
      if (after.front() != ':' || error != std::errc() || stop != last) {
        return world::Error{{}, fmt::format("%{}% must end in a length, as in :10", body)};
      }
    }
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                     [&](const auto& entry) { return entry.first == name; });
    if (found == std::end(kOperators)) {
      return world::Error{{}, fmt::format("%{}% is not an operator of the access log", name)};
    }
    item.what = found->second;
    const bool header = item.what == Operator::Request || item.what == Operator::Response;
    if (header && item.text.empty()) {
      return world::Error{{}, fmt::format("%{}% must name a header", name)};
    }
    flush();
    items.push_back(std::move(item));
  }
  flush();
  return items;
}

world::Result<LogFormat> LogFormat::compile(const AccessLogPlan& plan) {
  LogFormat format;
  if (plan.kind != AccessLogPlan::Kind::Json) {
    auto items = parse(plan.kind == AccessLogPlan::Kind::Default ? kDefaultFormat : plan.text);
    if (!items) return items.error();
    format.items_ = std::move(*items);
    return format;
  }
  format.json_ = true;
  for (const auto& [key, text] : plan.json) {
    auto items = parse(text);
    if (!items) return world::Error{key, items.error().message};
    format.members_.push_back({key, std::move(*items)});
  }
  std::stable_sort(format.members_.begin(), format.members_.end(),
                   [](const Member& a, const Member& b) { return a.key < b.key; });
  return format;
}

/// Appends one value. False, and nothing appended: there is none.
bool LogFormat::append_value(std::string& out, const Item& item, const LogEntry& entry) {
  const std::size_t before = out.size();
  const auto text = [&](std::string_view value) {
    out += value;
    return !value.empty();
  };
  // A header that is there with an empty value is an empty text, not a missing one.
  const auto header = [&](std::string_view value) {
    out += value;
    return value.data() != nullptr;
  };
  bool known = true;
  switch (item.what) {
    case Operator::Literal:
      out += item.text;
      break;
    case Operator::StartTime:
      append_time(out, entry.started);
      break;
    case Operator::Request:
      known = header(request_value(entry, item.text));
      if (!known && !item.alternative.empty()) {
        known = header(request_value(entry, item.alternative));
      }
      break;
    case Operator::Response:
      known = entry.response != nullptr && (header(entry.response->get(item.text)) ||
                                            header(entry.response->get(item.alternative)));
      break;
    case Operator::Protocol:
      known = text(entry.protocol);
      break;
    case Operator::ResponseCode:
      append_number(out, entry.status);
      break;
    case Operator::ResponseFlags:
      out += flags_text(entry.flags);
      break;
    case Operator::Details:
      known = text(entry.details);
      break;
    case Operator::Termination:
      known = text(entry.termination);
      break;
    case Operator::BytesReceived:
      append_number(out, static_cast<std::int64_t>(entry.received));
      break;
    case Operator::BytesSent:
      append_number(out, static_cast<std::int64_t>(entry.sent));
      break;
    case Operator::Took:
      append_number(out, millis(entry.duration));
      break;
    case Operator::UpstreamHost:
      known = text(entry.host);
      break;
    case Operator::UpstreamCluster:
      known = text(entry.cluster);
      break;
    case Operator::UpstreamLocalAddress:
      known = entry.upstream_known && text(entry.upstream_local.text());
      break;
    case Operator::TransportFailure:
      known = text(entry.transport_failure);
      break;
    case Operator::DownstreamFailure:
      known = text(entry.downstream_failure);
      break;
    case Operator::ServerName:
      known = entry.tls != nullptr && text(entry.tls->server_name);
      break;
    case Operator::TlsVersion:
      known = entry.tls != nullptr && text(text_of(entry.tls->version));
      break;
    case Operator::TlsCipher:
      known = entry.tls != nullptr && text(entry.tls->cipher);
      break;
    case Operator::PeerSubject:
      known = entry.tls != nullptr && text(entry.tls->peer);
      break;
    case Operator::PeerUriNames:
      known = entry.tls != nullptr && text(uri_names(*entry.tls));
      break;
    case Operator::Attempts:
      append_number(out, entry.attempts);
      break;
    case Operator::RouteName:
      known = text(entry.route);
      break;
    case Operator::GrpcStatus:
      known = entry.grpc_status != LogEntry::kNoGrpcStatus;
      if (known) append_number(out, entry.grpc_status);
      break;
    case Operator::DownstreamRemote:
      out += entry.announced != nullptr ? entry.announced->source.text()
                                        : entry.downstream_remote.text();
      break;
    case Operator::DownstreamRemoteNoPort:
      out += entry.announced != nullptr ? entry.announced->source.address_text()
                                        : entry.downstream_remote.address_text();
      break;
    case Operator::DownstreamDirect:
      out += entry.downstream_remote.text();
      break;
    case Operator::DownstreamDirectNoPort:
      out += entry.downstream_remote.address_text();
      break;
    case Operator::DownstreamLocal:
      out += entry.announced != nullptr ? entry.announced->destination.text()
                                        : entry.downstream_local.text();
      break;
    case Operator::DownstreamLocalNoPort:
      out += entry.announced != nullptr ? entry.announced->destination.address_text()
                                        : entry.downstream_local.address_text();
      break;
    case Operator::DownstreamLocalPort:
      append_number(out, entry.announced != nullptr ? entry.announced->destination.port
                                                    : entry.downstream_local.port);
      break;
    case Operator::LocalReplyBody:
      break;  // known where an answer is made, and no longer where it is logged
    case Operator::Absent:
      known = false;
      break;
  }
  if (item.limit != 0 && out.size() > before + item.limit) out.resize(before + item.limit);
  return known;
}

void LogFormat::append(std::string& out, const LogEntry& entry) const {
  if (!json_) {
    for (const Item& item : items_) {
      if (!append_value(out, item, entry)) out += '-';
    }
    return;
  }
  out += '{';
  for (const Member& member : members_) {
    if (out.back() != '{') out += ',';
    std::string value;
    bool known = true;
    for (const Item& item : member.items) {
      known = append_value(value, item, entry);
      if (!known) value += '-';
    }
    const auto quoted = [](const std::string& text) {
      return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    };
    out += quoted(member.key);
    out += ':';
    // A member that is one operator keeps its type: a number, or null for what is missing.
    const bool single = member.items.size() == 1;
    if (single && !known) {
      out += "null";
    } else if (single && is_number(member.items.front().what)) {
      out += value;
    } else {
      out += quoted(value);
    }
  }
  out += "}\n";
}

}  // namespace proxy
