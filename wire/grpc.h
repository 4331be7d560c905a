#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What gRPC puts into HTTP/2: messages with a prefix of five bytes, and a status in the trailers.
/// Source: gRPC over HTTP2, "Length-Prefixed-Message" and "Responses".
namespace wire::grpc {

/// Appends one message with its prefix. Requires: less than 4 GiB.
void append_message(std::string& out, std::string_view message, bool compressed = false);

struct Message {
  std::string bytes;
  bool compressed = false;
};

/// Takes messages out of a body that comes in pieces.
class MessageReader {
 public:
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// The next whole message, or nothing yet.
  std::optional<Message> next();
  /// Whether a part of a message has come.
  bool partial() const { return read_ < buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t read_ = 0;
};

/// The text of grpc-message as it goes into the header: "%" and what is not printable ASCII is
/// escaped byte by byte.
std::string escape(std::string_view text);
/// The way back; what is no escape stays as it is.
std::string unescape(std::string_view text);

/// "UNIMPLEMENTED" for 12; empty for a number that has no name.
std::string_view name_of(std::uint32_t status);
/// 12 for "UNIMPLEMENTED"; nothing for a name that is none.
std::optional<std::uint32_t> status_of(std::string_view name);

}  // namespace wire::grpc
