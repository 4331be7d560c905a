#include "conformance/recorded/action_readings.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "conformance/latin1.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

constexpr char kField = '\x1f';  // after each field
constexpr std::string_view kEnd = "\x1e\n";

/// The records' names of what a line says, and how the real proxy's format says it.
constexpr std::array<std::pair<const char*, const char*>, 8> kFields = {{
    {"id", "%REQ(X-ID)%"},
    {"code", "%RESPONSE_CODE%"},
    {"flags", "%RESPONSE_FLAGS%"},
    {"details", "%RESPONSE_CODE_DETAILS%"},
    {"ufail", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
    {"dfail", "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"},
    {"term", "%CONNECTION_TERMINATION_DETAILS%"},
    {"peer", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"},
}};

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Where in a full name the asked one begins, at the front or after a dot; npos: nowhere.
std::size_t place_of(const std::string& full, const std::string& asked) {
  const bool open = !asked.empty() && asked.back() == '*';
  const std::string wanted = open ? asked.substr(0, asked.size() - 1) : asked;
  if (open) {
    if (full.compare(0, wanted.size(), wanted) == 0) return 0;
    const std::size_t at = full.find("." + wanted);
    return at == std::string::npos ? at : at + 1;
  }
  if (full == wanted) return 0;
  return ends_with(full, "." + wanted) ? full.size() - wanted.size() : std::string::npos;
}

bool is_response(const Event& event) {
  return event.is("response");
}

/// A response's `connection` header, or null.
json connection_header(const Event& event) {
  return event.words[3].value("connection", json());
}

std::string words_text(const json& words) {
  std::string text;
  for (const json& word : words) text += (text.empty() ? "" : " ") + text_of(word);
  return text;
}

}  // namespace

std::string action_log_format() {
  std::string format;
  for (const auto& [name, value] : kFields) {
    format += value;
    format += kField;
  }
  return format.append(kEnd);
}

std::vector<ActionLogLine> read_action_log(std::string_view file) {
  std::vector<ActionLogLine> lines;
  while (!file.empty()) {
    std::string_view rest = file.substr(0, file.find(kEnd));
    file.remove_prefix(rest.size() + kEnd.size());
    ActionLogLine line;
    for (const auto& [name, format] : kFields) {
      const std::size_t end = rest.find(kField);
      line.fields[name] = to_utf8(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    line.id = line.fields["id"];
    lines.push_back(std::move(line));
  }
  return lines;
}

json access_log_reading(const std::vector<ActionLogLine>& lines, const json& step,
                        const std::function<std::string(std::string)>& peer) {
  const std::string form = step.value("form", "");
  if (!form.empty() && form != "values" && form != "distinct-words") {
    throw NotSupported("the form " + form + " of an access log");
  }
  json list = json::array();
  std::set<std::string> distinct;
  for (const ActionLogLine& line : lines) {
    json entry = json::object();
    std::string words;
    for (const json& name : step.at("fields")) {
      const auto field = line.fields.find(name.get<std::string>());
      if (field == line.fields.end()) throw NotSupported("the log's field " + name.dump());
      std::string text = field->second;
      if (name == "peer") text = peer(std::move(text));
      words += (words.empty() ? "" : " ") + text;
      if (text == "-" || text.empty()) continue;
      entry[name.get<std::string>()] = name == "code" ? json(std::stoi(text)) : json(text);
    }
    distinct.insert(words);
    if (form == "values") {
      for (const auto& [name, value] : entry.items()) list.push_back(value);
    } else {
      list.push_back(std::move(entry));
    }
  }
  return form == "distinct-words" ? json(distinct) : list;
}

namespace {

void add_tls(Statistics& all, const std::string& at, const proxy::TlsCounts& counts) {
  const std::string ssl = at + "ssl.";
  all[ssl + "handshake"] = counts.handshakes;
  all[ssl + "session_reused"] = counts.resumed;
  all[ssl + "no_certificate"] = counts.no_certificate;
  all[ssl + "connection_error"] = counts.connection_errors;
  all[ssl + "fail_verify_no_cert"] = counts.verify_no_certificate;
  all[ssl + "fail_verify_error"] = counts.verify_errors;
  all[ssl + "fail_verify_san"] = counts.verify_names;
  all[ssl + "fail_verify_cert_hash"] = 0;
  all[ssl + "was_key_usage_invalid"] = 0;
}

}  // namespace

Statistics statistics_of(const std::vector<proxy::ListenerState>& listeners,
                         const std::vector<proxy::ClusterState>& clusters) {
  Statistics all;
  for (const proxy::ListenerState& listener : listeners) {
    const proxy::ListenerCounts& counts = listener.counts;
    const std::string at = "listener." + listener.hop->name + ".";
    all[at + "downstream_cx_total"] = counts.connections_total;
    all[at + "downstream_cx_active"] = counts.connections;
    all[at + "downstream_cx_destroy"] = counts.connections_total - counts.connections;
    all[at + "downstream_pre_cx_timeout"] = counts.filter_timeouts;
    all[at + "downstream_cx_proxy_proto_error"] = counts.proxy_header_errors;
    add_tls(all, at, listener.tls);
    const std::string socket = at + "server_ssl_socket_factory.";
    all[socket + "downstream_context_secrets_not_ready"] = listener.tls.secrets_missing;
    all[socket + "ssl_context_update_by_sds"] = listener.tls.updates;
    all[at + "no_filter_chain_match"] = 0;
    all["proxy_proto.versions.v1.found"] = counts.proxy_v1_found;
    all["proxy_proto.versions.v1.error"] = counts.proxy_v1_errors;
    all["proxy_proto.versions.v2.found"] = counts.proxy_v2_found;
    all["proxy_proto.versions.v2.error"] = counts.proxy_v2_errors;
    all["proxy_proto.not_found_allowed"] = counts.proxy_absent_allowed;
    all["proxy_proto.not_found_disallowed"] = counts.proxy_absent_refused;
    const std::string http = "http." + listener.hop->name + ".";
    all[http + "downstream_cx_total"] = counts.connections_total;
    all[http + "downstream_cx_active"] = counts.connections;
    all[http + "downstream_cx_destroy"] = counts.connections_total - counts.connections;
    all[http + "downstream_cx_protocol_error"] = counts.protocol_errors;
    all[http + "downstream_rq_total"] = counts.requests_total;
    all[http + "downstream_rq_active"] = counts.requests;
  }
  for (const proxy::ClusterState& cluster : clusters) {
    const std::string at = "cluster." + cluster.cluster->name + ".";
    const proxy::PoolCounts& pool = cluster.pool;
    add_tls(all, at, cluster.tls);
    all[at + "upstream_cx_active"] = pool.connections;
    all[at + "upstream_rq_pending_active"] = pool.pending;
    all[at + "upstream_rq_active"] = pool.requests;
    all[at + "upstream_cx_total"] = pool.connections_total;
    all[at + "upstream_cx_overflow"] = pool.connection_overflow;
    all[at + "upstream_cx_connect_fail"] = pool.connect_failures;
    all[at + "upstream_cx_connect_timeout"] = pool.connect_timeouts;
    all[at + "upstream_cx_max_requests"] = pool.connections_used_up;
    all[at + "upstream_cx_close_notify"] = pool.close_notifies;
    all[at + "upstream_cx_destroy_local"] = pool.closed_here;
    all[at + "upstream_cx_destroy_remote"] = pool.closed_there;
    all[at + "upstream_cx_destroy"] = pool.closed_here + pool.closed_there;
    all[at + "upstream_cx_none_healthy"] = pool.no_host;
    all[at + "upstream_rq_total"] = pool.requests_total;
    all[at + "upstream_rq_pending_total"] = pool.pending_total;
    all[at + "upstream_rq_pending_overflow"] = pool.pending_overflow;
    all[at + "upstream_rq_active_overflow"] = pool.active_overflow;
    all[at + "upstream_rq_pending_failure_eject"] = pool.pending_failures;
    all[at + "upstream_rq_timeout"] = pool.timeouts;
    all[at + "upstream_rq_cancelled"] = pool.cancelled;
    all[at + "upstream_rq_rx_reset"] = pool.resets_received;
    all[at + "upstream_rq_tx_reset"] = pool.resets_sent;
    all[at + "upstream_rq_completed"] = pool.completed;
    all[at + "upstream_rq_retry"] = pool.retries_total;
    all[at + "upstream_rq_retry_success"] = pool.retries_succeeded;
    all[at + "upstream_rq_retry_limit_exceeded"] = pool.retry_limits;
    all[at + "upstream_rq_retry_overflow"] = pool.retry_overflow;
    const std::string circuit = at + "circuit_breakers.default.";
    all[circuit + "cx_open"] = cluster.open.connections ? 1 : 0;
    all[circuit + "rq_pending_open"] = cluster.open.pending ? 1 : 0;
    all[circuit + "rq_open"] = cluster.open.requests ? 1 : 0;
    all[circuit + "rq_retry_open"] = cluster.open.retries ? 1 : 0;
    const proxy::HealthCounts& health = cluster.health;
    const auto count = [&cluster](auto is) {
      return static_cast<std::uint64_t>(
          std::count_if(cluster.hosts.begin(), cluster.hosts.end(), is));
    };
    all[at + "membership_total"] = cluster.hosts.size();
    all[at + "membership_healthy"] =
        count([](const proxy::HostState& host) { return host.usable && !host.excluded; });
    all[at + "membership_excluded"] =
        count([](const proxy::HostState& host) { return host.excluded; });
    all[at + "membership_degraded"] = 0;
    all[at + "membership_change"] = health.changes;
    all[at + "lb_healthy_panic"] = health.panics;
    all[at + "health_check.attempt"] = health.attempts;
    all[at + "health_check.success"] = health.successes;
    all[at + "health_check.failure"] = health.failures;
    all[at + "health_check.network_failure"] = health.network_failures;
    all[at + "health_check.healthy"] =
        count([](const proxy::HostState& host) { return !host.failed_check; });
    const std::string outlier = at + "outlier_detection.";
    const std::uint64_t enforced = health.ejections - health.ejections_overflow;
    all[outlier + "ejections_active"] =
        count([](const proxy::HostState& host) { return host.ejected; });
    all[outlier + "ejections_consecutive_5xx"] = health.ejections;
    all[outlier + "ejections_detected_consecutive_5xx"] = health.ejections_detected;
    all[outlier + "ejections_enforced_consecutive_5xx"] = enforced;
    all[outlier + "ejections_enforced_total"] = enforced;
    all[outlier + "ejections_total"] = enforced;
    all[outlier + "ejections_overflow"] = health.ejections_overflow;
  }
  return all;
}

json statistics_reading(const Statistics& statistics, const json& step) {
  std::vector<std::string> prefixes;
  const json prefix = step.value("prefix", json(""));
  for (const json& each : prefix.is_array() ? prefix : json::array({prefix})) {
    // "listener.ingress.(ssl.)": what is in parentheses may be there.
    std::string text = each.get<std::string>();
    if (const std::size_t open = text.find('('); open != std::string::npos) text.resize(open);
    prefixes.push_back(std::move(text));
  }
  const bool full_names = step.value("full_names", false) || prefixes.size() > 1;
  const bool zeros = step.value("zeros", false);
  json result = json::object();
  for (const json& name : step.at("names")) {
    const std::string asked = name.get<std::string>();
    bool found = false;
    for (const std::string& before : prefixes) {
      for (const auto& [full, value] : statistics) {
        if (full.compare(0, before.size(), before) != 0) continue;
        const std::string rest = full.substr(before.size());
        const std::size_t at = place_of(rest, asked);
        if (at == std::string::npos) continue;
        found = true;
        if (value != 0 || zeros) result[full_names ? full : rest.substr(at)] = value;
      }
    }
    if (!found) throw NotSupported("the statistic " + asked);
  }
  return result;
}

std::uint64_t statistic(const Statistics& statistics, const std::string& name) {
  for (const auto& [full, value] : statistics) {
    if (place_of(full, name) != std::string::npos) return value;
  }
  throw NotSupported("the statistic " + name);
}

bool is_dropped(const Event& event, const json& step) {
  const json drop = step.value("drop", json::array());
  return std::any_of(drop.begin(), drop.end(), [&event](const json& each) {
    const std::string kind = each.get<std::string>();
    const std::string of_event = event.words[0].get<std::string>();
    if (kind == "up_*") return of_event.compare(0, 3, "up_") == 0;
    return of_event == kind || (kind == "resp" && of_event == "response");
  });
}

json event_words(const Event& event, const json& step) {
  json words = event.words;
  if (!is_response(event) || !step.contains("headers")) return words;
  json headers = json::object();
  for (const json& name : step["headers"]) {
    const std::string key = name.get<std::string>();
    if (words[3].contains(key)) headers[key] = words[3][key];
  }
  words[3] = std::move(headers);
  return words;
}

json events_reading(const std::vector<Event>& events, std::size_t first, const json& step) {
  const std::string form = step.value("form", "");
  json list = json::array();
  std::vector<std::string> words;
  for (std::size_t i = first; i < events.size(); ++i) {
    const Event& event = events[i];
    if (is_dropped(event, step)) continue;
    if (form == "brief" && is_response(event)) {
      list.push_back({{"status", event.words[2]}, {"connection", connection_header(event)}});
    } else if (form == "triples" && is_response(event)) {
      list.push_back({"response", event.words[2], connection_header(event)});
    } else if (form.empty() || form == "brief" || form == "triples") {
      list.push_back(event_words(event, step));
    } else if (form == "words") {
      words.push_back(words_text(event.words));
    } else if (form == "words-short") {
      json some = {event.words[0]};
      if (event.words.size() > 1) some.push_back(event.words[1]);
      const json& last = event.words.back();
      if (event.words.size() > 2 && (last == "fin" || last == "rst")) some.push_back(last);
      words.push_back(words_text(some));
    } else {
      throw NotSupported("the form " + form + " of events");
    }
  }
  if (form != "words" && form != "words-short") return list;
  std::sort(words.begin(), words.end());
  return words;
}

json upstream_events_reading(const std::vector<Event>& events, const json& step) {
  const std::string form = step.value("form", "");
  if (!form.empty() && form != "kinds") throw NotSupported("the form " + form + " of events");
  const json kinds = step.at("kinds");
  json list = json::array();
  for (const Event& event : events) {
    if (std::find(kinds.begin(), kinds.end(), event.words[0]) == kinds.end()) continue;
    list.push_back(form == "kinds" ? event.words[0] : json(words_text(event.words)));
  }
  return list;
}

}  // namespace conformance::recorded
