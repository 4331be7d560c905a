#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/expectation.h"
#include "conformance/matcher.h"
#include "document/reader.h"
#include "peers/http_text.h"
#include "world/time.h"

/// The small things that scenario files are made of. Whatever is wrong goes to the reader's
/// Problems; what is returned then is absent or empty.
namespace conformance {

/// A value as one may read it in a message: scalars bare, lists and objects in braces.
std::string written_text(const document::Value& value);

std::optional<world::Duration> read_duration(const document::Reader& at);
std::optional<world::Duration> read_optional_duration(document::Reader& in, std::string_view key);

/// A string: exactly that text; or an object of `equals`, `contains`, `startsWith`, `endsWith`,
/// `matches`, `like`, `not`. `plain`: what a plain string means.
TextExpectation read_text(document::Reader at,
                          TextExpectation::Test::Kind plain = TextExpectation::Test::Kind::Equals);
/// The same; null: there is none.
TextExpectation read_text_or_null(const document::Reader& at);
/// The same as read_text(), and the words `present` and `absent`.
TextExpectation read_presence(const document::Reader& at);
std::vector<HeaderExpectation> read_header_expectations(document::Reader at);

/// A whole number, or an object of `min`, `max`, `not`.
NumberExpectation read_number(document::Reader at);
/// A duration, or a list of two: not less, not more.
DurationExpectation read_duration_expectation(const document::Reader& at);
/// One duration is the most that may pass.
DurationExpectation read_within(const document::Reader& at);

/// An object of names and values, a value being a string or a list of strings, one for each line.
peers::HeaderLines read_headers(document::Reader at);

/// Bytes that repeat, and pauses before them.
struct BytesPiece {
  std::string bytes;
  std::uint64_t times = 1;
};
/// A string, `{ hex }`, `{ repeat, times }`, or a list of them.
std::vector<BytesPiece> read_pieces(const document::Reader& at);
/// The same for raw bytes: a character up to U+00FF is one byte, and there may be no others.
std::vector<BytesPiece> read_raw_pieces(const document::Reader& at);
/// All of read_pieces(), or of read_raw_pieces(), in one; at most 16 MiB.
std::string read_bytes(const document::Reader& at);
std::string read_raw_bytes(const document::Reader& at);

/// A key that a later version will know.
void refuse_unsupported(document::Reader& in, std::string_view key);

/// A word that things in the world can be named with: letters, digits, "-", "_", ".".
bool is_name(std::string_view text);

}  // namespace conformance
