#include "wire/http1/response_parser.h"

#include <cassert>
#include <limits>

#include "wire/http1/chars.h"
#include "wire/http1/connection_rules.h"
#include "wire/http1/fast_head.h"
#include "wire/http1/head_parser.h"

namespace wire::http1 {
namespace {

constexpr std::size_t npos = std::string_view::npos;

/// A status as the real parser reads it: a sign is allowed, and only 16 bits of the number count.
bool parse_status(std::string_view text, std::uint16_t& status) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return false;
    number = number * 10 + digit;
  }
  status = static_cast<std::uint16_t>(number);
  return true;
}

const CodecError* read_status_line(std::string_view line, FirstLine& parts, std::uint16_t& status) {
  parts = split_first_line(line);
  return is_version(parts.first) && parse_status(parts.after_second, status) ? nullptr
                                                                             : &kCodecError;
}

bool is_interim(std::uint16_t status) {
  return status >= 100 && status < 200 && status != 101;
}

bool never_has_body(std::uint16_t status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace

void ResponseParser::expect(bool head_request, bool upgrade) {
  assert(!in_message());
  state_ = State::Start;
  head_request_ = head_request;
  upgrade_ = upgrade;
  keep_alive_ = true;
  saw_interim_ = false;
}

void ResponseParser::release() {
  assert(!in_message());
  head_.reset();
  std::string().swap(partial_);
}

std::size_t ResponseParser::feed(std::string_view bytes, Events& events) {
  std::size_t used = 0;
  while (used < bytes.size() && !*error_ && state_ <= State::Head) {
    if (state_ == State::Idle || (state_ == State::Start && bytes[used] != 'H')) {
      error_ = &kCodecError;
      return used;
    }
    state_ = State::Head;
    used += feed_head(bytes.substr(used), events);
    if (state_ == State::Idle) return used;
  }
  if (*error_ || state_ < State::Body) return used;
  return used + feed_body(bytes.substr(used), events);
}

std::size_t ResponseParser::feed_head(std::string_view bytes, Events& events) {
  if (head_ == nullptr) head_ = std::make_unique<ResponseHead>();
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
        read_fast_response(text, limits_.max_headers, line, head_->headers, facts);
    if (size > 0) {
      parse_status(line.second, head_->status);
      const CodecError* const error = judge(line, facts);
      if (error != nullptr) {
        error_ = error;
        return 0;
      }
      hand_over(events);
      return size;
    }
  }
  const std::size_t end = find_head_end(text, before > 2 ? before - 2 : 0);
  if (end == npos) {
    // A wrong status line is an error at once, without waiting for the rest of the head.
    const std::size_t line_end = first_line_seen_ ? npos : text.find('\n');
    FirstLine parts;
    std::uint16_t status = 0;
    if (line_end != npos && read_status_line(text.substr(0, line_end), parts, status) != nullptr) {
      error_ = &kCodecError;
      return 0;
    }
    first_line_seen_ = first_line_seen_ || line_end != npos;
    if (text.size() >= limits_.max_head_bytes) {
      error_ = &kHeadersTooLarge;
      return 0;
    }
    if (before == 0) partial_.assign(bytes);
    return bytes.size();
  }

  first_line_seen_ = false;
  const CodecError* const error = read_head(text.substr(0, end));
  partial_.clear();
  if (error != nullptr) {
    error_ = error;
    return 0;
  }
  hand_over(events);
  return end - before;
}

void ResponseParser::hand_over(Events& events) {
  if (is_interim(head_->status)) {
    saw_interim_ = true;
    state_ = State::Start;
    return;
  }
  keep_alive_ = !wants_close(head_->http_1_0, head_->headers);
  const Framing framing = head_->framing;
  if (framing != Framing::None) body_.start(framing, head_->content_length);
  if (framing == Framing::UntilClose) keep_alive_ = false;
  state_ = framing == Framing::Tunnel ? State::Tunnel : State::Body;
  events.on_head(*head_);
  if (framing == Framing::None && state_ == State::Body) complete(events);
}

std::size_t ResponseParser::feed_body(std::string_view bytes, Events& events) {
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
        complete(events);
        return used;
      case BodyReader::Outcome::Error:
        error_ = error;
        return used;
    }
  }
}

void ResponseParser::on_end_of_stream(Events& events) {
  if (*error_ || !in_message() || state_ == State::Tunnel) return;
  if (state_ == State::Body && body_.framing() == Framing::UntilClose) {
    complete(events);
  } else {
    error_ = &kCodecError;
  }
}

void ResponseParser::complete(Events& events) {
  state_ = State::Idle;
  events.on_complete();
}

const CodecError* ResponseParser::read_head(std::string_view block) {
  const HeadChars chars = scan_head(block);
  if (chars.invalid) return &kInvalidCharacters;
  const std::size_t line_end = block.find('\n') + 1;
  FirstLine line;
  const CodecError* error = read_status_line(block.substr(0, line_end), line, head_->status);
  if (error != nullptr) return error;
  HeaderFacts facts;
  const HeaderRules rules{.request = false,
                          .has_lone_cr = chars.lone_cr,
                          .length_matters = !never_has_body(head_->status),
                          .max_headers = limits_.max_headers};
  error = read_headers(block.substr(line_end), rules, head_->headers, facts);
  return error != nullptr ? error : judge(line, facts);
}

const CodecError* ResponseParser::judge(const FirstLine& line, HeaderFacts& facts) {
  ResponseHead& head = *head_;
  HeaderMap& headers = head.headers;
  // The line may be a part of the header map's text, which changes below.
  head.reason.assign(line.third);
  head.http_1_0 = line.first != "HTTP/1.1";

  // From here on in the order in which the real codec looks.
  bool tunnel = false;
  if (upgrade_ && facts.has_connection && is_upgrade(headers)) {
    if (equals_ignoring_case(headers.get(HeaderName::Upgrade), "h2c")) {
      forget_h2c(headers);
    } else {
      tunnel = true;
    }
  }
  if (facts.has_transfer_encoding) {
    if (facts.has_content_length) return &kLengthAndEncoding;
    if (!equals_ignoring_case(headers.get(HeaderName::TransferEncoding), "chunked")) {
      return &kInvalidTransferEncoding;
    }
  }
  if (head.status < 200 || head.status == 204) {
    if (facts.has_transfer_encoding) return &kEncodingNotAllowed;
    if (facts.has_content_length) {
      if (headers.get(HeaderName::ContentLength) != "0") return &kLengthNotAllowed;
      headers.remove(HeaderName::ContentLength);
    }
  }

  if (tunnel) {
    head.framing = Framing::Tunnel;
  } else if (never_has_body(head.status) || head_request_) {
    head.framing = Framing::None;
  } else if (facts.chunked) {
    head.framing = Framing::Chunked;
  } else if (!facts.has_content_length) {
    head.framing = Framing::UntilClose;
  } else if (facts.content_length > 0) {
    head.framing = Framing::ContentLength;
    head.content_length = facts.content_length;
  }
  return nullptr;
}

}  // namespace wire::http1
