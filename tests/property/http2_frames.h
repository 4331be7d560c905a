#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_hd_inflater;

namespace property {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types of RFC 9113 section 6.
enum class FrameType : std::uint8_t {
  Data = 0,
  Headers = 1,
  ResetStream = 3,
  Settings = 4,
  Ping = 6,
  GoAway = 7,
};

inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kAck = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;

/// A frame as it goes over the wire. Source: RFC 9113 section 4.1.
std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload);
/// A number of four bytes.
std::string word(std::uint32_t number);
/// SETTINGS, with a limit of concurrent streams unless it is 0.
std::string settings_frame(std::uint32_t max_streams = 0);
/// The head of GET on that path, by HPACK without any table or Huffman code.
std::string get_frame(std::uint32_t stream, std::string_view path);
/// The head and body of a 200.
std::string answer_frames(std::uint32_t stream, std::string_view body);

struct Frame {
  FrameType type = FrameType::Data;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string_view payload;
  std::vector<std::pair<std::string, std::string>> headers;  ///< Of HEADERS.

  std::string_view header(std::string_view name) const;
};

/// Cuts what comes into frames, heads decoded. Knows nothing of streams.
class FrameReader {
 public:
  /// `preface`: the client's comes first.
  explicit FrameReader(bool preface);
  ~FrameReader();

  void feed(std::string_view bytes, const std::function<void(const Frame&)>& take);

 private:
  std::string bytes_;
  std::size_t preface_left_;
  struct Deleter {
    void operator()(nghttp2_hd_inflater* inflater) const;
  };
  std::unique_ptr<nghttp2_hd_inflater, Deleter> inflater_;
};

}  // namespace property
