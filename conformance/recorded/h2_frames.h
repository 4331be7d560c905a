#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

struct nghttp2_hd_inflater;

namespace conformance::recorded::h2 {

/// What every client sends first. Source: RFC 9113, section 3.4.
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The frame types of RFC 9113, section 6.
enum class Type : std::uint8_t {
  Data = 0,
  Headers = 1,
  Priority = 2,
  RstStream = 3,
  Settings = 4,
  PushPromise = 5,
  Ping = 6,
  GoAway = 7,
  WindowUpdate = 8,
  Continuation = 9,
};

/// The header table that everyone begins with. Source: RFC 9113, section 6.5.2.
inline constexpr std::size_t kHeaderTable = 4096;

inline constexpr std::uint8_t kAck = 0x1;
inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;
inline constexpr std::uint8_t kPadded = 0x8;
inline constexpr std::uint8_t kHasPriority = 0x20;

/// A header list in bytes, not in the records' latin-1 text.
using Headers = std::vector<std::pair<std::string, std::string>>;
/// The records' `[[name, value], ..]`.
Headers headers_of(const nlohmann::json& list);

/// A header block of literals without indexing and without Huffman codes, in the given order and
/// spelling, so that also what no peer may send reaches the gateway.
std::string header_block(const Headers& headers);

/// One frame.
std::string frame(Type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);

/// HEADERS, with CONTINUATION for what is over 16384 bytes.
std::string headers_frames(std::uint32_t stream, const Headers& headers, bool end_stream);
std::string data_frame(std::uint32_t stream, std::string_view data, bool end_stream);
std::string rst_stream_frame(std::uint32_t stream, std::uint32_t error);
std::string goaway_frame(std::uint32_t last_stream, std::uint32_t error);
std::string ping_frame(std::string_view opaque, bool ack);
std::string window_update_frame(std::uint32_t stream, std::uint32_t increment);
/// `settings` is a list of [id, value].
std::string settings_frame(const nlohmann::json& settings);
std::string settings_ack();
/// The HEADER_TABLE_SIZE among such settings, or the default.
std::size_t header_table_of(const nlohmann::json& settings);

/// A frame as it came, HEADERS with their CONTINUATION.
struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;    ///< As on the wire, padding included.
  nlohmann::json record;  ///< As the records say it; section 2.4 of the vocabulary.

  bool is(Type wanted) const { return type == static_cast<std::uint8_t>(wanted); }
  bool ack() const;         ///< Of SETTINGS and PING.
  bool end_stream() const;  ///< Of DATA and HEADERS.
};

/// Cuts one direction of a connection into frames.
class Reader {
 public:
  /// `header_table` is what was announced to the peer as HEADER_TABLE_SIZE; less than 4096 is as
  /// 4096, for the peer may not have heard of it yet.
  explicit Reader(std::size_t header_table = kHeaderTable);
  ~Reader();

  void add(std::string_view bytes) { rest_ += bytes; }
  /// Takes the next whole frame out; false if there is none.
  bool next(Frame& frame);
  /// Bytes that make no whole frame.
  const std::string& rest() const { return rest_; }

 private:
  bool take(Frame& frame);
  nlohmann::json inflate(std::string_view block);

  struct DeleteInflater {
    void operator()(nghttp2_hd_inflater* inflater) const;
  };
  std::unique_ptr<nghttp2_hd_inflater, DeleteInflater> inflater_;
  std::string rest_;
  Frame open_;  // HEADERS that CONTINUATION will end
  bool is_open_ = false;
};

/// Hexadecimal digits to bytes and back. Requires: an even number of digits.
std::string from_hex(std::string_view digits);
std::string to_hex(std::string_view bytes);

}  // namespace conformance::recorded::h2
