#pragma once

#include <cstdint>
#include <memory>

#include "proxy/plan.h"
#include "wire/tls/material.h"

namespace proxy {

/// Who gives a gateway its certificates and the authorities that it trusts: files, a secret server,
/// a certificate manager. What it gives may come late and change; a gateway asks again for each
/// connection after version() has, and open connections keep what they began with.
///
/// Source: ENV-TLS-16, -17, AM-ROT-01 to -03.
class Secrets {
 public:
  virtual ~Secrets() = default;
  /// Null: it is not there, or not yet.
  virtual std::shared_ptr<const wire::tls::Identity> identity(const SecretName& name) = 0;
  virtual std::shared_ptr<const wire::tls::TrustBundle> trust(const SecretName& name) = 0;
  /// Another number whenever one of them has changed.
  virtual std::uint64_t version() const = 0;
};

}  // namespace proxy
