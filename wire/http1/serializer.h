#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/headers.h"

namespace wire::http1 {

/// The real proxy's phrase for a status, "Unknown" for one that it does not know.
///
/// Source: ENV-HTTP-51.
std::string_view reason_phrase(std::uint16_t status);

/// Appends "METHOD TARGET HTTP/1.1", the headers in the map's order, and the blank line.
///
/// Pseudo headers are skipped, except that :authority is written as `host` where it stands.
/// Framing headers are the caller's. Source: ENV-HTTP-40.
void append_request_head(std::string& out, std::string_view method, std::string_view target,
                         const HeaderMap& headers);
/// The same for "HTTP/1.1 STATUS PHRASE".
void append_response_head(std::string& out, std::uint16_t status, const HeaderMap& headers);

/// Appends one chunk: lower-case size, bytes. Nothing for no bytes: that would end the body.
void append_chunk(std::string& out, std::string_view bytes);
/// Appends the last chunk, without trailers.
void append_last_chunk(std::string& out);

}  // namespace wire::http1
