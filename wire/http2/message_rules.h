#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire/headers.h"

namespace wire::http2 {

/// What is to be done with a field of a header block.
enum class Verdict : std::uint8_t {
  Take,
  LeaveOut,  ///< As if it had not been sent.
  Broken,    ///< The message is not one.
};

/// A set of names as a number.
constexpr std::uint64_t bit(HeaderName name) {
  return std::uint64_t{1} << static_cast<unsigned>(name);
}

/// Judges what the peer sends on one stream by the rules of messages: fields, which of them must
/// be there, and how long the body is.
///
/// The same verdicts as nghttp2's own (its http messaging), which the real proxy relies on; these
/// know a field by its number, and are told it in the one pass that reads it. Where the real
/// proxy's nghttp2 is stricter than ours (user information in :authority), as there.
/// Source: ENV-HTTP-111.
class MessageRules {
 public:
  /// Of a server. `connect_protocol`: extended CONNECT is taken.
  void expect_request(bool connect_protocol);
  /// Of a client that asked with `method`.
  void expect_response(std::string_view method);

  /// A header block begins. `first`: of those that the peer sends on the stream.
  void begin_block(bool first) { trailers_ = !first && !interim_; }
  /// `known`: as lookup_header() says of the name.
  Verdict judge(HeaderName known, std::string_view name, std::string_view value) {
    if ((kSpecial >> static_cast<unsigned>(known) & 1) != 0) {
      return judge_special(known, name, value);
    }
    seen_ |= kRegular;
    return is_value(value) ? Verdict::Take : Verdict::Broken;
  }
  /// The block is complete; `ends`: nothing follows. False: the message is broken.
  bool end_block(bool ends);
  /// So much of the body came. False: more than there may be.
  bool add_data(std::size_t bytes) {
    received_ += static_cast<std::int64_t>(bytes);
    return !interim_ && (length_ < 0 || received_ <= length_);
  }
  /// Whether the body may end here.
  bool may_end() const { return !interim_ && (length_ < 0 || received_ == length_); }

 private:
  static constexpr std::uint64_t kHopByHop =
      bit(HeaderName::Connection) | bit(HeaderName::KeepAlive) | bit(HeaderName::ProxyConnection) |
      bit(HeaderName::TransferEncoding) | bit(HeaderName::Upgrade);
  static constexpr std::uint64_t kPseudo =
      bit(HeaderName::PseudoMethod) | bit(HeaderName::PseudoPath) |
      bit(HeaderName::PseudoAuthority) | bit(HeaderName::PseudoScheme) |
      bit(HeaderName::PseudoStatus);
  /// What more than the value's characters is asked of.
  static constexpr std::uint64_t kSpecial = kHopByHop | kPseudo | bit(HeaderName::Other) |
                                            bit(HeaderName::Te) | bit(HeaderName::Host) |
                                            bit(HeaderName::ContentLength);

  static constexpr std::uint64_t kOnes = 0x0101010101010101;
  static constexpr std::uint64_t kSpaces = kOnes * 0x20;
  /// Whether it has no control characters but tabs: eight bytes at a time.
  static bool is_value(std::string_view value) {
    const char* const text = value.data();
    const std::size_t size = value.size();
    bool control = false;
    if (size >= 8) {
      for (std::size_t at = 0; at + 8 < size; at += 8) control |= has_control(word_at(text + at));
      control |= has_control(word_at(text + size - 8));
    } else if (size >= 4) {
      control = has_control(half_at(text) | half_at(text + size - 4) << 32);
    } else if (size > 0) {
      const auto byte = [text](std::size_t i) {
        return std::uint64_t{static_cast<unsigned char>(text[i])};
      };
      control = has_control(kSpaces << 24 | byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16);
    }
    return !control || is_value_slow(value);
  }
  static std::uint64_t half_at(const char* text) {
    std::uint32_t half;
    std::memcpy(&half, text, 4);
    return half;
  }
  static std::uint64_t word_at(const char* text) {
    std::uint64_t word;
    std::memcpy(&word, text, 8);
    return word;
  }
  /// Whether a byte is below a space, or DEL. Bytes from 0x80 on are neither.
  static bool has_control(std::uint64_t word) {
    constexpr std::uint64_t kHigh = 0x8080808080808080;
    const std::uint64_t low = word - kSpaces;
    const std::uint64_t del = (word ^ (kOnes * 0x7f)) - kOnes;
    return ((low | del) & ~word & kHigh) != 0;
  }
  static bool is_value_slow(std::string_view value);

  Verdict judge_special(HeaderName known, std::string_view name, std::string_view value);
  Verdict judge_other(std::string_view name, std::string_view value);
  Verdict judge_request_pseudo(HeaderName known, std::string_view value);
  Verdict judge_status(std::string_view value);
  Verdict judge_length(std::string_view value);
  bool end_request();
  bool end_response();
  /// Notes a field that must be there once and not empty.
  bool note_once(std::uint16_t field, std::string_view value);

  // What was seen; the pseudo headers and Host once each.
  static constexpr std::uint16_t kRegular = 1;
  static constexpr std::uint16_t kMethod = 1 << 1;
  static constexpr std::uint16_t kPath = 1 << 2;
  static constexpr std::uint16_t kAuthority = 1 << 3;
  static constexpr std::uint16_t kScheme = 1 << 4;
  static constexpr std::uint16_t kProtocol = 1 << 5;
  static constexpr std::uint16_t kHost = 1 << 6;
  static constexpr std::uint16_t kStatus = 1 << 7;
  static constexpr std::uint16_t kSlashPath = 1 << 8;
  static constexpr std::uint16_t kAsteriskPath = 1 << 9;
  static constexpr std::uint16_t kHttpScheme = 1 << 10;

  enum class Method : std::uint8_t { Other, Connect, Head, Options };
  static Method method_of(std::string_view name);

  std::int64_t length_ = -1;  // of the body; -1: not known
  std::int64_t received_ = 0;
  std::uint16_t seen_ = 0;
  std::int16_t status_ = -1;
  Method method_ = Method::Other;
  bool request_ = false;
  bool connect_protocol_ = false;
  bool interim_ = false;  // a 1xx head came: the final one is still to come
  bool trailers_ = false;
};

}  // namespace wire::http2
