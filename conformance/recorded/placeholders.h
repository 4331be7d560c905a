#pragma once

#include <map>
#include <string>
#include <string_view>

namespace conformance::recorded {

/// Puts the placeholders of the recorded cases in place of what differs from run to run.
///
/// Source: the vocabulary of the observations, section 2.4.
class Placeholders {
 public:
  /// Ids that occur in `stimulus` were given by the client, and are kept.
  Placeholders(std::string stimulus, std::string gateway_port)
      : stimulus_(std::move(stimulus)), gateway_port_(std::move(gateway_port)) {}

  /// Of a message's bytes, head and body.
  std::string message(std::string_view bytes) const;
  /// Of a header's value.
  std::string header(std::string_view name, std::string_view value) const;
  /// Of any text: request ids and the gateway's port.
  std::string text(std::string_view bytes) const;

 private:
  std::string stimulus_;
  std::string gateway_port_;
};

}  // namespace conformance::recorded
