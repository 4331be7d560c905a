#include "conformance/recorded/h2_frames.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

#include <nghttp2/nghttp2.h>

#include "conformance/latin1.h"
#include "wire/http2/errors.h"

namespace conformance::recorded::h2 {
namespace {

using nlohmann::json;

constexpr std::size_t kHeaderSize = 9;
constexpr std::size_t kMaxPayload = 16384;  // a peer that has announced nothing takes no more

constexpr std::array<std::string_view, 10> kTypes = {
    "DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
    "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
// From 1. RFC 8441 has the eighth.
constexpr std::array<std::string_view, 8> kSettings = {"HEADER_TABLE_SIZE",
                                                       "ENABLE_PUSH",
                                                       "MAX_CONCURRENT_STREAMS",
                                                       "INITIAL_WINDOW_SIZE",
                                                       "MAX_FRAME_SIZE",
                                                       "MAX_HEADER_LIST_SIZE",
                                                       "",
                                                       "ENABLE_CONNECT_PROTOCOL"};

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + size && i < bytes.size(); ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

void put(std::string& out, std::uint32_t number, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(number >> shift & 0xff);
  }
}

/// A string literal: its length in a 7-bit prefix, without Huffman. Source: RFC 7541, 5.1 and 5.2.
void put_literal(std::string& out, std::string_view text) {
  constexpr std::size_t kPrefixMax = 127;
  if (text.size() < kPrefixMax) {
    out += static_cast<char>(text.size());
  } else {
    out += static_cast<char>(kPrefixMax);
    std::size_t rest = text.size() - kPrefixMax;
    for (; rest >= 128; rest >>= 7) out += static_cast<char>((rest & 0x7f) | 0x80);
    out += static_cast<char>(rest);
  }
  out += text;
}

template <std::size_t N>
json name_or_number(const std::array<std::string_view, N>& names, std::uint32_t number,
                    std::uint32_t first = 0) {
  if (number >= first && number - first < N && !names[number - first].empty()) {
    return names[number - first];
  }
  return number;
}

json error_of(std::uint32_t number) {
  const std::string_view name = wire::http2::name_of(wire::http2::ErrorCode{number});
  return name.empty() ? json(number) : json(name);
}

/// What is left of DATA or HEADERS without padding and priority.
std::string_view content_of(const Frame& frame) {
  std::string_view content = frame.payload;
  if ((frame.flags & kPadded) != 0 && !content.empty()) {
    const std::size_t padding = static_cast<unsigned char>(content[0]);
    content.remove_prefix(1);
    content.remove_suffix(std::min(padding, content.size()));
  }
  if (frame.is(Type::Headers) && (frame.flags & kHasPriority) != 0) {
    content.remove_prefix(std::min<std::size_t>(5, content.size()));
  }
  return content;
}

/// All but HEADERS, whose block needs the connection's table.
json record_of(const Frame& frame) {
  const std::string_view payload = frame.payload;
  json record = {{"type", name_or_number(kTypes, frame.type)}, {"stream", frame.stream}};
  switch (static_cast<Type>(frame.type)) {
    case Type::Data:
      record["data"] = to_utf8(content_of(frame));
      record["end_stream"] = frame.end_stream();
      break;
    case Type::RstStream:
      record["error"] = error_of(number_at(payload, 0, 4));
      break;
    case Type::Settings: {
      record["ack"] = frame.ack();
      json settings = json::array();
      for (std::size_t at = 0; at + 6 <= payload.size(); at += 6) {
        settings.push_back({name_or_number(kSettings, number_at(payload, at, 2), 1),
                            number_at(payload, at + 2, 4)});
      }
      record["settings"] = std::move(settings);
      break;
    }
    case Type::Ping:
      record["ack"] = frame.ack();
      record["opaque"] = to_hex(payload);
      break;
    case Type::GoAway:
      record["last_stream"] = number_at(payload, 0, 4) & 0x7fffffff;
      record["error"] = error_of(number_at(payload, 4, 4));
      if (payload.size() > 8) record["debug"] = to_utf8(payload.substr(8));
      break;
    case Type::WindowUpdate:
      record["increment"] = number_at(payload, 0, 4) & 0x7fffffff;
      break;
    default:
      record["payload"] = to_hex(payload);
  }
  return record;
}

}  // namespace

Headers headers_of(const json& list) {
  Headers headers;
  for (const json& pair : list) {
    headers.emplace_back(to_latin1(pair.at(0).get<std::string>()),
                         to_latin1(pair.at(1).get<std::string>()));
  }
  return headers;
}

std::string header_block(const Headers& headers) {
  std::string block;
  for (const auto& [name, value] : headers) {
    block += '\0';  // literal without indexing, new name
    put_literal(block, name);
    put_literal(block, value);
  }
  return block;
}

std::string frame(Type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes;
  bytes.reserve(kHeaderSize + payload.size());
  put(bytes, static_cast<std::uint32_t>(payload.size()), 3);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  put(bytes, stream, 4);
  bytes += payload;
  return bytes;
}

std::string headers_frames(std::uint32_t stream, const Headers& headers, bool end_stream) {
  const std::string block = header_block(headers);
  std::string bytes;
  std::size_t at = 0;
  do {
    const std::string_view part = std::string_view(block).substr(at, kMaxPayload);
    const bool first = at == 0;
    at += part.size();
    unsigned flags = at == block.size() ? kEndHeaders : 0;
    if (first && end_stream) flags |= kEndStream;
    bytes += frame(first ? Type::Headers : Type::Continuation, static_cast<std::uint8_t>(flags),
                   stream, part);
  } while (at < block.size());
  return bytes;
}

std::string data_frame(std::uint32_t stream, std::string_view data, bool end_stream) {
  return frame(Type::Data, end_stream ? kEndStream : 0, stream, data);
}

std::string rst_stream_frame(std::uint32_t stream, std::uint32_t error) {
  std::string payload;
  put(payload, error, 4);
  return frame(Type::RstStream, 0, stream, payload);
}

std::string goaway_frame(std::uint32_t last_stream, std::uint32_t error) {
  std::string payload;
  put(payload, last_stream, 4);
  put(payload, error, 4);
  return frame(Type::GoAway, 0, 0, payload);
}

std::string ping_frame(std::string_view opaque, bool ack) {
  return frame(Type::Ping, ack ? kAck : 0, 0, opaque);
}

std::string window_update_frame(std::uint32_t stream, std::uint32_t increment) {
  std::string payload;
  put(payload, increment, 4);
  return frame(Type::WindowUpdate, 0, stream, payload);
}

std::string settings_frame(const json& settings) {
  std::string payload;
  for (const json& pair : settings) {
    put(payload, pair.at(0).get<std::uint32_t>(), 2);
    put(payload, pair.at(1).get<std::uint32_t>(), 4);
  }
  return frame(Type::Settings, 0, 0, payload);
}

std::string settings_ack() {
  return frame(Type::Settings, kAck, 0, {});
}

std::size_t header_table_of(const json& settings) {
  constexpr int kHeaderTableSize = 1;
  std::size_t size = kHeaderTable;
  for (const json& pair : settings) {
    if (pair.at(0) == kHeaderTableSize) size = pair.at(1).get<std::size_t>();
  }
  return size;
}

bool Frame::ack() const {
  return (is(Type::Settings) || is(Type::Ping)) && (flags & kAck) != 0;
}

bool Frame::end_stream() const {
  return (is(Type::Data) || is(Type::Headers)) && (flags & kEndStream) != 0;
}

Reader::Reader(std::size_t header_table) {
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) throw std::bad_alloc();
  inflater_.reset(inflater);
  if (header_table > kHeaderTable) {
    nghttp2_hd_inflate_change_table_size(inflater_.get(), header_table);
  }
}

Reader::~Reader() = default;

void Reader::DeleteInflater::operator()(nghttp2_hd_inflater* inflater) const {
  nghttp2_hd_inflate_del(inflater);
}

bool Reader::take(Frame& frame) {
  if (rest_.size() < kHeaderSize) return false;
  const std::size_t size = number_at(rest_, 0, 3);
  if (rest_.size() - kHeaderSize < size) return false;
  frame.type = static_cast<std::uint8_t>(rest_[3]);
  frame.flags = static_cast<std::uint8_t>(rest_[4]);
  frame.stream = number_at(rest_, 5, 4) & 0x7fffffff;
  frame.payload = rest_.substr(kHeaderSize, size);
  rest_.erase(0, kHeaderSize + size);
  return true;
}

bool Reader::next(Frame& frame) {
  while (take(frame)) {
    if (is_open_ && frame.is(Type::Continuation)) {
      open_.payload += frame.payload;
      if ((frame.flags & kEndHeaders) == 0) continue;
      frame = std::move(open_);
      is_open_ = false;
    } else if (frame.is(Type::Headers)) {
      frame.payload = content_of(frame);
      if ((frame.flags & kEndHeaders) == 0) {
        open_ = std::move(frame);
        is_open_ = true;
        continue;
      }
    } else {
      frame.record = record_of(frame);
      return true;
    }
    frame.record = {{"type", "HEADERS"},
                    {"stream", frame.stream},
                    {"headers", inflate(frame.payload)},
                    {"end_stream", frame.end_stream()}};
    return true;
  }
  return false;
}

/// A block that cannot be decoded ends where it fails.
json Reader::inflate(std::string_view block) {
  json headers = json::array();
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  while (true) {
    nghttp2_nv header{};
    int flags = 0;
    const auto used = nghttp2_hd_inflate_hd2(inflater_.get(), &header, &flags, at, left, 1);
    if (used < 0) break;
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      const auto text = [](const std::uint8_t* bytes, std::size_t size) {
        return to_utf8({reinterpret_cast<const char*>(bytes), size});
      };
      headers.push_back({text(header.name, header.namelen), text(header.value, header.valuelen)});
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());
  return headers;
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 0xf];
  }
  return digits;
}

}  // namespace conformance::recorded::h2
