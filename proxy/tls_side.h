#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/counts.h"
#include "proxy/plan.h"
#include "proxy/secrets.h"
#include "wire/tls/transport.h"
#include "world/world.h"

namespace proxy {

/// What the real proxy logs of a connection that came before its secrets. Source: ENV-TLS-17.
inline constexpr std::string_view kSecretMissing = "TLS_error:_Secret_is_not_supplied_by_SDS";

/// TLS of one listener or cluster at run time: what it shows and believes at present.
class TlsSide {
 public:
  /// `secrets` null: there is none.
  TlsSide(world::World& world, const TlsPlan& plan, Secrets* secrets);

  /// For the next connection. Null: a secret is missing, which is counted.
  std::shared_ptr<const wire::tls::Context> context();
  /// Begins to connect. Null: a secret is missing, which is counted.
  std::unique_ptr<wire::tls::TlsTransport> connect(const world::Endpoint& remote,
                                                   world::TransportEvents& events);
  /// What is wrong with the secrets that are there; empty: nothing.
  std::string problem();
  wire::tls::SessionStore& sessions() { return sessions_; }

  /// Counts a connection whose handshake is over, or one that broke.
  void note_secured(const wire::tls::TlsTransport& transport);
  void note_failure(const wire::tls::Failure& failure);
  TlsCounts counts();

 private:
  void refresh();

  world::World& world_;
  const TlsPlan& plan_;
  Secrets* secrets_;
  std::optional<std::uint64_t> version_;
  std::shared_ptr<const wire::tls::Context> context_;
  std::string problem_;
  wire::tls::SessionStore sessions_;
  TlsCounts counts_;
};

/// The words of a failed transport in the real proxy's logs; empty: it has none.
/// Source: ENV-TLS-14, -33.
std::string transport_failure_text(const wire::tls::Failure& failure, std::error_code error);

}  // namespace proxy
