#pragma once

#include <string_view>

#include "wire/headers.h"

namespace wire::http1 {

/// Whether a comma-separated list has that token, in any case.
bool has_token(std::string_view list, std::string_view token);

/// Whether the headers ask for, or grant, another protocol.
bool is_upgrade(const HeaderMap& headers);

/// Whether the sender of this message wants the connection closed behind it.
/// Source: ENV-HTTP-79.
bool wants_close(bool http_1_0, const HeaderMap& headers);

/// Forgets an upgrade to h2c, which is not offered. Requires: is_upgrade().
void forget_h2c(HeaderMap& headers);

/// Removes what `Connection` names, and those names from its value. False where a name may not be
/// given there, or there are too many. Source: ENV-HTTP-45.
bool remove_nominated(HeaderMap& headers);

}  // namespace wire::http1
