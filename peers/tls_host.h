#pragma once

#include <optional>
#include <string>

#include "peers/request_spec.h"
#include "wire/tls/context.h"

namespace peers {

/// Sets what a client asks its server for, as SNI: `server_name`, which may be empty for none, or
/// the request's host, unless that is an address. `checks_name`: the server's certificate must be
/// for what was asked for, or for the host where nothing is. Source: RFC 6066 section 3.
void set_host(wire::tls::Settings& settings, const RequestSpec& request,
              const std::optional<std::string>& server_name, bool checks_name);

}  // namespace peers
