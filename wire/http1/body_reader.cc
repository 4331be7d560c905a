#include "wire/http1/body_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "wire/http1/errors.h"
#include "wire/http1/head_parser.h"

namespace wire::http1 {
namespace {

/// The value of a hexadecimal digit, else -1.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void BodyReader::start(Framing framing, std::uint64_t content_length) {
  assert(framing != Framing::None);
  *this = {};
  framing_ = framing;
  left_ = content_length;
  if (framing == Framing::Chunked) {
    state_ = State::Size;
    left_ = 0;
  }
}

BodyReader::Step BodyReader::step(std::string_view bytes, std::uint32_t max_trailer_bytes,
                                  std::string& trailers, const CodecError*& error) {
  if (framing_ == Framing::Chunked) return step_chunked(bytes, max_trailer_bytes, trailers, error);
  if (framing_ == Framing::ContentLength) {
    if (left_ == 0) return {Outcome::Complete, 0, {}};
    bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    left_ -= bytes.size();
  }
  return {bytes.empty() ? Outcome::More : Outcome::Piece, bytes.size(), bytes};
}

bool BodyReader::read_size(const char*& at, const char* end) {
  constexpr std::uint64_t kTopDigit = std::uint64_t{0xf} << 60;
  for (; at < end; ++at) {
    const int digit = hex_value(*at);
    if (digit < 0) {
      // The character that ends the size belongs to what follows.
      if (!has_digit_ || std::strchr("\t\n\r ;", *at) == nullptr || *at == '\0') return false;
      state_ = State::Extension;
      after_cr_ = false;
      return true;
    }
    if ((left_ & kTopDigit) != 0) return false;
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    has_digit_ = true;
  }
  return true;
}

bool BodyReader::read_extension(const char*& at, const char* end) {
  for (; at < end; ++at) {
    // The line ends with CRLF, and has neither of them elsewhere.
    if ((*at == '\n') != after_cr_) return false;
    after_cr_ = *at == '\r';
    if (*at == '\n') {
      ++at;
      has_digit_ = false;
      state_ = left_ > 0 ? State::Data : State::AfterLast;
      line_ends_ = '\n';
      break;
    }
  }
  return true;
}

bool BodyReader::read_last_line_end(const char*& at, const char* end) {
  constexpr std::uint32_t kLfCrLf = ('\n' << 16) | ('\r' << 8) | '\n';
  constexpr std::uint32_t kLfLf = ('\n' << 8) | '\n';
  for (; at < end; ++at) {
    if (*at != '\r' && *at != '\n') {
      state_ = State::Trailers;
      return false;
    }
    line_ends_ = (line_ends_ << 8) | static_cast<unsigned char>(*at);
    if ((line_ends_ & 0xffffff) == kLfCrLf || (line_ends_ & 0xffff) == kLfLf) {
      ++at;
      return true;
    }
  }
  return false;
}

BodyReader::Step BodyReader::step_chunked(std::string_view bytes, std::uint32_t max_trailer_bytes,
                                          std::string& trailers, const CodecError*& error) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  const auto used = [&bytes, &at] { return static_cast<std::size_t>(at - bytes.data()); };
  while (at < end) {
    switch (state_) {
      case State::Size:
      case State::Extension:
        if (state_ == State::Size ? !read_size(at, end) : !read_extension(at, end)) {
          error = &kCodecError;
          return {Outcome::Error, used(), {}};
        }
        if (state_ == State::AfterLast) return {Outcome::LastChunk, used(), {}};
        break;
      case State::Data: {
        const auto size = static_cast<std::size_t>(
            std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(end - at)));
        const std::string_view piece(at, size);
        at += size;
        left_ -= size;
        if (left_ == 0) state_ = State::AfterData;
        return {Outcome::Piece, used(), piece};
      }
      case State::AfterData: {
        // Whatever stands between the chunk and the line end is overlooked.
        const void* const lf = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
        at = lf == nullptr ? end : static_cast<const char*>(lf) + 1;
        if (lf != nullptr) state_ = State::Size;
        break;
      }
      case State::AfterLast:
        if (read_last_line_end(at, end)) return {Outcome::Complete, used(), {}};
        break;
      case State::Trailers: {
        const std::size_t before = trailers.size();
        trailers.append(at, std::min<std::size_t>(static_cast<std::size_t>(end - at),
                                                  max_trailer_bytes + 1 - before));
        const std::size_t from = before > 2 ? before - 2 : 0;
        const std::size_t trailers_end = find_head_end(trailers, from);
        if (trailers_end == std::string_view::npos) {
          at += trailers.size() - before;
          if (trailers.size() <= max_trailer_bytes) break;
          error = &kHeadersTooLarge;
          return {Outcome::Error, used(), {}};
        }
        at += trailers_end - before;
        trailers.resize(trailers_end);
        error = trailers_end > max_trailer_bytes ? &kHeadersTooLarge : check_trailers(trailers);
        trailers.clear();
        return {error != nullptr ? Outcome::Error : Outcome::Complete, used(), {}};
      }
    }
  }
  return {Outcome::More, bytes.size(), {}};
}

}  // namespace wire::http1
