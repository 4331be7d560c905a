#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/recorded/action_events.h"
#include "conformance/recorded/action_tls.h"
#include "conformance/recorded/agenda.h"
#include "world/world.h"

namespace conformance::recorded {

class ActionConnection;

/// A request as an upstream got it.
struct UpstreamRequestSeen {
  std::string id;
  std::string path;
  std::vector<std::string> lines;              ///< As `first_probe` shows them.
  std::map<std::string, std::string> headers;  ///< By lower-case name.
  ActionConnection* connection = nullptr;
  std::uint32_t stream = 0;  ///< Of HTTP/2.
};

/// One endpoint of a script: answers requests and probes as the `upstream` step says.
///
/// Source: the vocabulary of the observations, sections 3.1, 3.3 and 3.4.
class ActionUpstream final : private world::AcceptEvents {
 public:
  /// `failed_probes` counts the gateway's failed probes so far.
  ActionUpstream(world::World& world, std::uint16_t port, nlohmann::json script, EventLog& events,
                 std::function<std::uint64_t()> failed_probes,
                 const ActionCertificates& certificates);
  ~ActionUpstream() override;

  /// Why such a script cannot be played; empty: it can.
  static std::string unsupported(const nlohmann::json& script);

  void start();
  /// Answers a held request. False: it is not here.
  bool respond(const std::string& id, int status);

  struct Probe {
    world::TimePoint at{};
    std::size_t connection = 0;  ///< Its number.
    std::vector<std::string> lines;
  };
  /// The probes that have arrived.
  const std::vector<Probe>& probes() const { return probes_; }
  /// The word that the probe of that number gets, counted from 0.
  std::string answer_word(std::size_t probe) const;
  std::size_t requests() const { return requests_; }
  /// What TLS of a connection came to, in the order of accepting.
  struct Secured {
    wire::tls::TlsTransport* transport = nullptr;  ///< Null: its end has gone.
    std::optional<wire::tls::Agreed> agreed{};
    std::optional<std::string> server_name{};  ///< Absent: no handshake was begun.
    bool failed = false;
    std::optional<std::uint8_t> alert{};
  };
  const std::vector<Secured>& secured() const { return secured_; }
  bool asks_for_certificate() const;
  /// Bytes that a `raw` script was told to keep.
  const std::vector<std::string>& kept() const { return kept_; }
  /// The newest request of that id, or nullptr.
  const UpstreamRequestSeen* find(const std::string& id) const;

 private:
  friend class ActionConnection;
  friend class ActionHttp1;
  friend class ActionHttp2;
  friend class ActionTcp;
  friend class ActionRaw;

  void on_accept(std::unique_ptr<world::Transport> transport) override;
  void take(UpstreamRequestSeen request);
  void take_probe(const UpstreamRequestSeen& request);
  void answer_probe(const UpstreamRequestSeen& request, const std::string& word);
  void when(std::uint64_t failed, const std::function<void()>& act);
  void refuse();
  void listen_again();

  world::World& world_;
  std::uint16_t port_;
  nlohmann::json script_;
  EventLog& events_;
  std::function<std::uint64_t()> failed_probes_;
  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<ActionConnection>> connections_;
  std::vector<Probe> probes_;
  std::map<std::string, UpstreamRequestSeen> newest_;
  std::size_t requests_ = 0;
  std::size_t next_word_ = 0;
  std::shared_ptr<const wire::tls::Context> context_;  // null: in plain text
  std::vector<Secured> secured_;
  std::vector<std::string> kept_;
  Agenda agenda_;
};

}  // namespace conformance::recorded
