#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "world/time.h"

namespace conformance::recorded {

/// What happens during one step of a pool record, as the records list it.
///
/// Source: the vocabulary of the observations, sections 3.1 and 3.2.
class PoolEvents {
 public:
  /// The order of an upstream's events on one connection.
  enum class Kind : std::uint8_t { Accept, Request, GoAway, Close };

  /// `what` without the connection: "up_conn", "up_req"; `rest` behind it: "r1".
  void upstream(Kind kind, std::string what, std::size_t host, std::size_t connection,
                std::string rest = {});
  void response(const std::string& id, int status, nlohmann::json headers, std::string body,
                world::Duration since_sent);
  void client(std::string event, world::Duration since_connect);

  /// The entry of the step that is over, and a new one begins. `timed`: times are told too;
  /// `several`: hosts have names, in the order of their first use.
  nlohmann::json take(const std::string& step, bool timed, bool several);

  bool answered(const std::string& id) const { return answered_.count(id) != 0; }
  /// When something last happened.
  void touch(world::TimePoint now) { last_ = now; }
  world::TimePoint last() const { return last_; }

 private:
  struct Upstream {
    std::size_t host;
    std::size_t connection;
    Kind kind;
    std::size_t order;
    std::string what;
    std::string rest;
  };
  struct Response {
    double since_sent;
    std::string id;
    nlohmann::json entry;
  };
  struct Client {
    std::string event;
    double since_connect;
  };

  std::size_t host_number(std::size_t host);

  std::map<std::size_t, std::size_t> host_numbers_;  // by the order of first use
  std::vector<Upstream> upstream_;
  std::vector<Response> responses_;
  std::vector<Client> client_;
  std::map<std::string, bool> answered_;
  world::TimePoint last_{};
};

/// Seconds in the records' grain of a tenth.
double tenths(world::Duration duration);

}  // namespace conformance::recorded
