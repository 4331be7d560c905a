#pragma once

#include <string>

#include "peers/http_text.h"
#include "wire/headers.h"
#include "wire/http2/session.h"

namespace peers {

/// How our peers' sessions are set up: as the real proxy's, but they read more of a head.
wire::http2::Session::Options peer_session_options();

HeaderLines lines_of(const wire::HeaderMap& headers);
/// Names go into lower case.
wire::HeaderMap header_map(const HeaderLines& lines);
/// The head of an answer in the form of HTTP/1: "HTTP/2 200", the lines, an empty one.
std::string head_text(std::uint16_t status, const wire::HeaderMap& headers);
/// "CANCEL", or the number of a code without a name.
std::string code_text(wire::http2::ErrorCode code);

}  // namespace peers
