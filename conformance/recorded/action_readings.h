#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/recorded/action_events.h"
#include "proxy/counts.h"

namespace conformance::recorded {

/// What a record asks for and this replayer does not have.
struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A format of access-log lines that say all that records read, and whom a line is about.
std::string action_log_format();

/// One line of the access log.
struct ActionLogLine {
  std::string id;                             ///< The request's x-id.
  std::map<std::string, std::string> fields;  ///< By the records' names, "-" for none.
};

/// The lines of a file written with action_log_format().
std::vector<ActionLogLine> read_action_log(std::string_view file);

/// The result of `read: access_log`. `peer` gives the records' word for a client's address.
nlohmann::json access_log_reading(const std::vector<ActionLogLine>& lines,
                                  const nlohmann::json& step,
                                  const std::function<std::string(std::string)>& peer);

/// Statistics by their full names in the real proxy.
using Statistics = std::map<std::string, std::uint64_t>;
Statistics statistics_of(const std::vector<proxy::ListenerState>& listeners,
                         const std::vector<proxy::ClusterState>& clusters);
/// The result of `read: stats`. Throws NotSupported for a name that is none of them.
nlohmann::json statistics_reading(const Statistics& statistics, const nlohmann::json& step);
/// One by its name, or the end of it. Throws NotSupported.
std::uint64_t statistic(const Statistics& statistics, const std::string& name);

/// Whether a step's `drop` names that kind of event.
bool is_dropped(const Event& event, const nlohmann::json& step);
/// The result of `read: events`, of those from `first` on.
nlohmann::json events_reading(const std::vector<Event>& events, std::size_t first,
                              const nlohmann::json& step);
/// The result of `read: upstream_events`.
nlohmann::json upstream_events_reading(const std::vector<Event>& events,
                                       const nlohmann::json& step);
/// An event as `watch_ms` shows it.
nlohmann::json event_words(const Event& event, const nlohmann::json& step);

}  // namespace conformance::recorded
