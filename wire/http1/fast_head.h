#pragma once

#include <cstddef>
#include <string_view>

#include "wire/http1/head_parser.h"
#include "wire/http1/message.h"

namespace wire::http1 {

/// Reads a head that lies whole at the start of `bytes` and has nothing unusual in it, in one pass.
///
/// A short cut, not a second set of rules: whatever it does not take (returns 0, with `headers`
/// spoilt) goes through read_headers(), and what it takes would have had the same outcome there.
/// Returns the bytes of the head.
std::size_t read_fast_request(std::string_view bytes, std::uint32_t max_headers, FirstLine& line,
                              HeaderMap& headers, HeaderFacts& facts);
std::size_t read_fast_response(std::string_view bytes, std::uint32_t max_headers, FirstLine& line,
                               HeaderMap& headers, HeaderFacts& facts);

}  // namespace wire::http1
