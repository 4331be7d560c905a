#include "peers/response_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "peers/http_text.h"

namespace peers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kMostLineBytes = 64 * 1024;  // of a chunk's size line or a trailer

/// Where the head ends: after the first empty line, or kNone. Looks from `from` on.
std::size_t head_end(std::string_view text, std::size_t from) {
  while (true) {
    const void* found = std::memchr(text.data() + from, '\n', text.size() - from);
    if (found == nullptr) return kNone;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (at + 1 < text.size() && text[at + 1] == '\n') return at + 2;
    if (at + 2 < text.size() && text[at + 1] == '\r' && text[at + 2] == '\n') return at + 3;
    from = at + 1;
    if (from >= text.size()) return kNone;
  }
}

bool contains_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    list.remove_prefix(comma == kNone ? list.size() : comma + 1);
    while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
    while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
    if (same_name(one, token)) return true;
  }
  return false;
}

/// Decimal digits and nothing else. False also on overflow.
bool parse_length(std::string_view text, std::uint64_t& length) {
  if (text.empty()) return false;
  length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return false;
    length = length * 10 + digit;
  }
  return true;
}

/// The size at the start of a chunk's first line. False if there is none.
bool parse_chunk_size(std::string_view line, std::uint64_t& size) {
  std::size_t digits = 0;
  size = 0;
  for (const char c : line) {
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) break;
    if (++digits > 15) return false;
    size = size << 4 | static_cast<std::uint64_t>(digit);
  }
  return digits != 0;
}

}  // namespace

ResponseReader::Found ResponseReader::fail() {
  state_ = State::Broken;
  return Found::Bad;
}

ResponseReader::Found ResponseReader::next(std::string_view& bytes) {
  if (buffer_used_) {
    buffer_used_ = false;
    buffer_ = {};  // an idle connection holds no memory for it
  }
  while (true) {
    switch (state_) {
      case State::Head:
        return read_head(bytes);
      case State::Complete:
        state_ = State::Head;
        buffer_ = {};
        return Found::Complete;
      case State::Body:
      case State::ChunkData:
        if (bytes.empty()) return Found::NeedMore;
        piece_ =
            bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
        bytes.remove_prefix(piece_.size());
        left_ -= piece_.size();
        if (left_ == 0) state_ = state_ == State::Body ? State::Complete : State::ChunkEnd;
        return Found::Body;
      case State::UntilClose:
        if (bytes.empty()) return Found::NeedMore;
        piece_ = bytes;
        bytes = {};
        return Found::Body;
      case State::ChunkSize:
      case State::ChunkEnd:
      case State::Trailers: {
        std::string_view line;
        if (!read_line(bytes, line)) {
          return buffer_.size() > kMostLineBytes ? fail() : Found::NeedMore;
        }
        if (state_ == State::ChunkEnd) {
          if (!line.empty()) return fail();
          state_ = State::ChunkSize;
        } else if (state_ == State::ChunkSize) {
          if (!parse_chunk_size(line, left_)) return fail();
          state_ = left_ == 0 ? State::Trailers : State::ChunkData;
        } else if (line.empty()) {
          state_ = State::Complete;
        }
        buffer_.clear();
        buffer_used_ = false;
        break;
      }
      case State::Broken:
        return Found::Bad;
    }
  }
}

ResponseReader::Found ResponseReader::read_head(std::string_view& bytes) {
  if (bytes.empty()) return Found::NeedMore;
  if (buffer_.empty()) {
    // The usual case: the head arrives whole and is read where it stands.
    const std::size_t end = head_end(bytes, 0);
    if (end == kNone) {
      if (bytes.size() > kMostHeadBytes) return fail();
      buffer_.assign(bytes);
      bytes = {};
      return Found::NeedMore;
    }
    head_ = bytes.substr(0, end);
    bytes.remove_prefix(end);
  } else {
    const std::size_t before = buffer_.size();
    buffer_.append(bytes);
    const std::size_t end = head_end(buffer_, before > 3 ? before - 3 : 0);
    if (end == kNone) {
      bytes = {};
      return buffer_.size() > kMostHeadBytes ? fail() : Found::NeedMore;
    }
    bytes.remove_prefix(end - before);
    buffer_.resize(end);
    head_ = buffer_;
    buffer_used_ = true;
  }
  return parse_head() ? Found::Head : fail();
}

bool ResponseReader::parse_head() {
  std::string_view text = head_;
  const std::size_t start_end = text.find('\n');
  std::string_view start = text.substr(0, start_end);
  text.remove_prefix(start_end + 1);
  // "HTTP/1.1 200 OK"
  if (start.size() < 12 || start.substr(0, 7) != "HTTP/1." || start[8] != ' ') return false;
  status_ = 0;
  for (std::size_t i = 9; i < 12; ++i) {
    if (start[i] < '0' || start[i] > '9') return false;
    status_ = static_cast<std::uint16_t>(status_ * 10 + (start[i] - '0'));
  }
  keeps_alive_ = start[7] != '0';
  bool chunked = false;
  bool has_transfer_encoding = false;
  bool has_length = false;
  std::uint64_t length = 0;
  while (true) {
    const auto end =
        static_cast<std::size_t>(static_cast<const char*>(std::memchr(text.data(), '\n',
                                                                      text.size())) -
                                 text.data());  // there is one: the head ends with it
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon != 10 && colon != 14 && colon != 17) continue;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
      value.remove_prefix(1);
    }
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    if (colon == 10 && same_name(name, "connection")) {
      if (contains_token(value, "close")) keeps_alive_ = false;
      if (contains_token(value, "keep-alive")) keeps_alive_ = true;
    } else if (colon == 14 && same_name(name, "content-length")) {
      std::uint64_t said = 0;
      if (!parse_length(value, said) || (has_length && said != length)) return false;
      has_length = true;
      length = said;
    } else if (colon == 17 && same_name(name, "transfer-encoding")) {
      has_transfer_encoding = true;
      chunked = contains_token(value, "chunked");
    }
  }
  if (status_ < 200 && status_ != 101) {
    state_ = State::Head;  // an interim answer: the final one follows
  } else if (status_ == 204 || status_ == 304 || status_ == 101) {
    state_ = State::Complete;
  } else if (chunked) {
    state_ = State::ChunkSize;
  } else if (has_length && !has_transfer_encoding) {
    left_ = length;
    state_ = length == 0 ? State::Complete : State::Body;
  } else {
    state_ = State::UntilClose;
  }
  if (status_ == 101) keeps_alive_ = false;
  return true;
}

void ResponseReader::skip_body() {
  if (status_ < 200) return;
  state_ = State::Complete;
}

bool ResponseReader::read_line(std::string_view& bytes, std::string_view& line) {
  const std::size_t end = bytes.find('\n');
  if (end == kNone) {
    buffer_.append(bytes);
    bytes = {};
    return false;
  }
  if (buffer_.empty()) {
    line = bytes.substr(0, end);
  } else {
    buffer_.append(bytes.substr(0, end));
    line = buffer_;
  }
  bytes.remove_prefix(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

}  // namespace peers
