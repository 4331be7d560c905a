#include "wire/http1/parser.h"

#include <algorithm>
#include <cassert>

#include "wire/http1/chars.h"
#include "wire/http1/connection_rules.h"
#include "wire/http1/fast_head.h"
#include "wire/http1/head_parser.h"
#include "wire/http1/target.h"

namespace wire::http1 {
namespace {

constexpr std::size_t npos = std::string_view::npos;

/// Checks a request line and shows its parts.
const CodecError* read_request_line(std::string_view line, FirstLine& parts) {
  parts = split_first_line(line);
  return is_method(parts.first) && is_target(parts.second, parts.first == "CONNECT") &&
                 is_version(parts.third)
             ? nullptr
             : &kCodecError;
}

}  // namespace

void RequestParser::reset() {
  state_ = State::Start;
  partial_.clear();
  first_line_seen_ = false;
}

void RequestParser::release() {
  assert(!in_message());
  head_.reset();
  std::string().swap(partial_);
}

std::size_t RequestParser::feed(std::string_view bytes, Events& events) {
  std::size_t used = 0;
  if (*error_ || bytes.empty()) return used;
  if (state_ == State::Start) state_ = State::Head;
  if (state_ == State::Head) {
    if (partial_.empty()) {
      // Line ends before a message are a part of it, and skipped. Source: ENV-HTTP-75.
      while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) ++used;
      if (used == bytes.size()) return used;
      if (is_blank(bytes[used])) {
        error_ = &kCodecError;
        return used;
      }
    }
    used += feed_head(bytes.substr(used), events);
    if (*error_ || state_ < State::Body) return used;
  }
  return used + feed_body(bytes.substr(used), events);
}

std::size_t RequestParser::feed_head(std::string_view bytes, Events& events) {
  if (head_ == nullptr) head_ = std::make_unique<RequestHead>();
  head_->clear();
  const std::size_t before = partial_.size();
  std::string_view text = bytes;
  if (before > 0) {
    partial_.append(bytes.substr(0, limits_.max_head_bytes - before));
    text = partial_;
  } else {
    text = text.substr(0, limits_.max_head_bytes);
    FirstLine line;
    HeaderFacts facts;
    const std::size_t size =
        read_fast_request(text, limits_.max_headers, line, head_->headers, facts);
    if (size > 0) {
      const CodecError* const error = judge(line, facts);
      if (error != nullptr) {
        error_ = error;
        return 0;
      }
      hand_over(events);
      return size;
    }
  }
  std::size_t end = find_head_end(text, before > 2 ? before - 2 : 0);
  const std::size_t line_end = end == npos && !first_line_seen_ ? text.find('\n') : npos;
  if (line_end != npos) {
    // A wrong request line is answered at once, without waiting for the rest of the head.
    FirstLine parts;
    const bool right = read_request_line(text.substr(0, line_end), parts) == nullptr;
    if (parts.third.empty()) {
      end = line_end + 1;  // HTTP/0.9 has no header lines.
    } else if (!right) {
      error_ = &kCodecError;
      return 0;
    }
    first_line_seen_ = true;
  }
  if (end == npos) {
    if (text.size() >= limits_.max_head_bytes) {
      error_ = &kHeadersTooLarge;
      return 0;
    }
    if (before == 0) partial_.assign(bytes);
    return bytes.size();
  }

  first_line_seen_ = false;
  std::string_view block = text.substr(0, end);
  const CodecError* const error = read_head(block);
  end = block.size();
  partial_.clear();
  if (error != nullptr) {
    error_ = error;
    return 0;
  }
  hand_over(events);
  return end - before;
}

void RequestParser::hand_over(Events& events) {
  const Framing framing = head_->framing;
  // Without a body it is still a message: its end is told behind the head.
  state_ = framing == Framing::Tunnel ? State::Tunnel : State::Body;
  if (framing != Framing::None) body_.start(framing, head_->content_length);
  events.on_head(*head_);
  if (framing == Framing::None && state_ == State::Body) {
    state_ = State::Start;
    events.on_complete();
  }
}

std::size_t RequestParser::feed_body(std::string_view bytes, Events& events) {
  if (state_ == State::Tunnel) {
    if (!bytes.empty()) events.on_body(bytes);
    return bytes.size();
  }
  std::size_t used = 0;
  while (true) {
    const CodecError* error = nullptr;
    const BodyReader::Step step =
        body_.step(bytes.substr(used), limits_.max_head_bytes, partial_, error);
    used += step.used;
    switch (step.outcome) {
      case BodyReader::Outcome::More:
        return used;
      case BodyReader::Outcome::Piece:
        events.on_body(step.piece);
        break;
      case BodyReader::Outcome::LastChunk:
        events.on_last_chunk();
        break;
      case BodyReader::Outcome::Complete:
        state_ = State::Start;
        events.on_complete();
        return used;
      case BodyReader::Outcome::Error:
        error_ = error;
        return used;
    }
  }
}

const CodecError* RequestParser::read_head(std::string_view& block) {
  const std::size_t line_end = block.find('\n') + 1;
  FirstLine line;
  const CodecError* const line_error = read_request_line(block.substr(0, line_end), line);
  if (line.third.empty()) block = block.substr(0, line_end);  // HTTP/0.9
  const HeadChars chars = scan_head(block);
  if (chars.invalid) return &kInvalidCharacters;
  if (line_error != nullptr) return line_error;
  HeaderFacts facts;
  head_->headers.clear();
  if (line_end < block.size()) {
    const HeaderRules rules{.has_lone_cr = chars.lone_cr, .max_headers = limits_.max_headers};
    const CodecError* const error =
        read_headers(block.substr(line_end), rules, head_->headers, facts);
    if (error != nullptr) return error;
  }
  return judge(line, facts);
}

const CodecError* RequestParser::judge(const FirstLine& line, HeaderFacts& facts) {
  RequestHead& head = *head_;
  HeaderMap& headers = head.headers;
  // The line may be a part of the header map's text, which changes below.
  head.method.assign(line.first);
  head.target.assign(line.second);
  const bool connect = head.method == "CONNECT";
  // The real codec looks at the end of the whole line, so a target can pass for a version.
  const bool http_1_1 = line.line.ends_with("HTTP/1.1");

  // From here on in the order in which the real codec looks.
  if (facts.has_connection && is_upgrade(headers)) {
    if (equals_ignoring_case(headers.get(HeaderName::Upgrade), "h2c")) {
      forget_h2c(headers);
    } else {
      head.upgrade = true;
    }
  }
  if (connect && facts.has_content_length) {
    if (headers.get(HeaderName::ContentLength) != "0") return &kBodyDisallowed;
    headers.remove(HeaderName::ContentLength);
    facts.has_content_length = false;
  }
  if (facts.has_transfer_encoding) {
    if (facts.has_content_length) return &kLengthAndEncoding;
    const std::string_view encoding = headers.get(HeaderName::TransferEncoding);
    if (connect || !equals_ignoring_case(encoding, "chunked")) return &kInvalidTransferEncoding;
  }
  if (facts.has_connection && !head.upgrade && !connect && !remove_nominated(headers)) {
    return &kConnectionRejected;
  }

  const bool origin_form =
      head.target[0] == '/' || (head.target[0] == '*' && head.method == "OPTIONS");
  if (connect || !origin_form) {
    AbsoluteTarget parts;
    if (!split_absolute(head.target, connect, parts)) return &kInvalidUrl;
    if (!connect) {
      if (equals_ignoring_case(parts.scheme, "http")) {
        head.scheme = "http";
      } else if (equals_ignoring_case(parts.scheme, "https")) {
        head.scheme = "https";
      } else {
        return &kInvalidScheme;
      }
    }
    headers.set(HeaderName::Host, parts.authority);
    head.target = std::string(parts.path);
  }
  if (!http_1_1) return &kLowVersion;
  const std::size_t host = headers.find(HeaderName::Host);
  if (host != HeaderMap::npos) {
    if (!is_authority(headers.value(host))) return &kInvalidAuthority;
    if (host > 0) headers.move_to_front(host);
  }

  if (head.upgrade || connect) {
    head.framing = Framing::Tunnel;
  } else if (facts.chunked) {
    head.framing = Framing::Chunked;
  } else if (facts.has_content_length && facts.content_length > 0) {
    head.framing = Framing::ContentLength;
    head.content_length = facts.content_length;
  }
  return nullptr;
}

}  // namespace wire::http1
