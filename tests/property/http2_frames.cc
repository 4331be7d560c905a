#include "tests/property/http2_frames.h"

#include <algorithm>
#include <cstdlib>

#include <nghttp2/nghttp2.h>

namespace property {
namespace {

constexpr std::size_t kHeadBytes = 9;

std::uint32_t number_of(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

/// A literal without indexing. `name`: its place in the static table. Source: RFC 7541 6.2.2.
std::string literal(std::uint8_t name, std::string_view value) {
  std::string out;
  if (name < 15) {
    out += static_cast<char>(name);
  } else {
    out += '\x0f';
    out += static_cast<char>(name - 15);
  }
  out += static_cast<char>(value.size());
  out += value;
  return out;
}

}  // namespace

std::string word(std::uint32_t number) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(number >> shift & 0xff);
  return out;
}

std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  std::string out = word(static_cast<std::uint32_t>(payload.size())).substr(1);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out += word(stream);
  out += payload;
  return out;
}

std::string settings_frame(std::uint32_t max_streams) {
  constexpr std::string_view kMaxConcurrentStreams{"\0\x03", 2};
  std::string payload;
  if (max_streams != 0) payload = std::string(kMaxConcurrentStreams) + word(max_streams);
  return frame(FrameType::Settings, 0, 0, payload);
}

std::string get_frame(std::uint32_t stream, std::string_view path) {
  const std::string block = "\x82\x86" + literal(4, path) + literal(1, "a.example");
  return frame(FrameType::Headers, kEndHeaders | kEndStream, stream, block);
}

std::string answer_frames(std::uint32_t stream, std::string_view body) {
  const std::string block = "\x88" + literal(28, std::to_string(body.size()));
  return frame(FrameType::Headers, kEndHeaders, stream, block) +
         frame(FrameType::Data, kEndStream, stream, body);
}

std::string_view Frame::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [name](const auto& field) { return field.first == name; });
  return found == headers.end() ? std::string_view() : found->second;
}

void FrameReader::Deleter::operator()(nghttp2_hd_inflater* inflater) const {
  nghttp2_hd_inflate_del(inflater);
}

FrameReader::FrameReader(bool preface) : preface_left_(preface ? kPreface.size() : 0) {
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) std::abort();
  inflater_.reset(inflater);
}

FrameReader::~FrameReader() = default;

void FrameReader::feed(std::string_view bytes, const std::function<void(const Frame&)>& take) {
  const std::size_t skipped = std::min(preface_left_, bytes.size());
  preface_left_ -= skipped;
  bytes_ += bytes.substr(skipped);
  std::size_t at = 0;
  while (bytes_.size() - at >= kHeadBytes) {
    const std::string_view head = std::string_view(bytes_).substr(at, kHeadBytes);
    const std::size_t length = number_of(head.substr(0, 3));
    if (bytes_.size() - at < kHeadBytes + length) break;
    Frame frame;
    frame.type = static_cast<FrameType>(head[3]);
    frame.flags = static_cast<std::uint8_t>(head[4]);
    frame.stream = number_of(head.substr(5));
    frame.payload = std::string_view(bytes_).substr(at + kHeadBytes, length);
    at += kHeadBytes + length;
    if (frame.type == FrameType::Headers) {
      const auto* next = reinterpret_cast<const std::uint8_t*>(frame.payload.data());
      std::size_t left = frame.payload.size();
      for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
        nghttp2_nv field{};
        const auto used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, next, left, 1);
        if (used < 0) std::abort();
        next += used;
        left -= static_cast<std::size_t>(used);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
          frame.headers.emplace_back(
              std::string(reinterpret_cast<const char*>(field.name), field.namelen),
              std::string(reinterpret_cast<const char*>(field.value), field.valuelen));
        }
      }
      nghttp2_hd_inflate_end_headers(inflater_.get());
    }
    take(frame);
  }
  bytes_.erase(0, at);
}

}  // namespace property
