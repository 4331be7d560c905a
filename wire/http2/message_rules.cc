#include "wire/http2/message_rules.h"

#include <algorithm>
#include <limits>

#include <nghttp2/nghttp2.h>

namespace wire::http2 {
namespace {

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_scheme(std::string_view value) {
  return !value.empty() && is_letter(value.front()) &&
         std::all_of(value.begin(), value.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

/// Requires: `other` is in lower case.
bool same_but_case(std::string_view text, std::string_view other) {
  return std::equal(text.begin(), text.end(), other.begin(), other.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

/// The number, or -1.
std::int64_t number_of(std::string_view digits) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (digits.empty()) return -1;
  std::int64_t number = 0;
  for (const char c : digits) {
    if (!is_digit(c) || number > kMost / 10) return -1;
    number *= 10;
    if (number > kMost - (c - '0')) return -1;
    number += c - '0';
  }
  return number;
}

}  // namespace

MessageRules::Method MessageRules::method_of(std::string_view name) {
  if (name == "CONNECT") return Method::Connect;
  if (name == "HEAD") return Method::Head;
  return name == "OPTIONS" ? Method::Options : Method::Other;
}

void MessageRules::expect_request(bool connect_protocol) {
  *this = {};
  request_ = true;
  connect_protocol_ = connect_protocol;
}

void MessageRules::expect_response(std::string_view method) {
  *this = {};
  method_ = method_of(method);
}

bool MessageRules::is_value_slow(std::string_view value) {
  return nghttp2_check_header_value(bytes_of(value), value.size()) != 0;
}

bool MessageRules::note_once(std::uint16_t field, std::string_view value) {
  if ((seen_ & field) != 0 || value.empty()) return false;
  seen_ |= field;
  return true;
}

Verdict MessageRules::judge_special(HeaderName known, std::string_view name,
                                    std::string_view value) {
  const std::uint64_t field = bit(known);
  if ((field & kPseudo) != 0) {
    if (trailers_ || (seen_ & kRegular) != 0) return Verdict::Broken;
    if (request_) return judge_request_pseudo(known, value);
    return known == HeaderName::PseudoStatus ? judge_status(value) : Verdict::Broken;
  }
  if (known == HeaderName::Other) return judge_other(name, value);
  seen_ |= kRegular;
  if (known == HeaderName::Host && request_) {
    const bool good = nghttp2_check_authority(bytes_of(value), value.size()) != 0;
    return good && note_once(kHost, value) ? Verdict::Take : Verdict::Broken;
  }
  if (!is_value(value) || (field & kHopByHop) != 0) return Verdict::Broken;
  if (known == HeaderName::Te && !same_but_case(value, "trailers")) return Verdict::Broken;
  return known == HeaderName::ContentLength ? judge_length(value) : Verdict::Take;
}

/// Of a name that is in no list, or :protocol.
Verdict MessageRules::judge_other(std::string_view name, std::string_view value) {
  if (name.starts_with(':')) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    const bool taken = request_ && connect_protocol_ && name == ":protocol" && !trailers_ &&
                       (seen_ & kRegular) == 0 && is_value(value) &&
                       !std::all_of(value.begin(), value.end(), blank);
    return taken && note_once(kProtocol, value) ? Verdict::Take : Verdict::Broken;
  }
  seen_ |= kRegular;
  const bool good = nghttp2_check_header_name(bytes_of(name), name.size()) != 0 && is_value(value);
  return good ? Verdict::Take : Verdict::Broken;
}

Verdict MessageRules::judge_request_pseudo(HeaderName known, std::string_view value) {
  bool good = false;
  switch (known) {
    case HeaderName::PseudoMethod:
      good = nghttp2_check_method(bytes_of(value), value.size()) != 0 && note_once(kMethod, value);
      method_ = method_of(value);
      break;
    case HeaderName::PseudoPath:
      good = nghttp2_check_path(bytes_of(value), value.size()) != 0 && note_once(kPath, value);
      if (value.starts_with('/')) seen_ |= kSlashPath;
      if (value == "*") seen_ |= kAsteriskPath;
      break;
    case HeaderName::PseudoAuthority:
      good = nghttp2_check_authority(bytes_of(value), value.size()) != 0 &&
             note_once(kAuthority, value) && value.find('@') == value.npos;
      break;
    case HeaderName::PseudoScheme:
      good = is_scheme(value) && note_once(kScheme, value);
      if (same_but_case(value, "http") || same_but_case(value, "https")) seen_ |= kHttpScheme;
      break;
    default:
      break;
  }
  return good ? Verdict::Take : Verdict::Broken;
}

Verdict MessageRules::judge_status(std::string_view value) {
  if (!note_once(kStatus, value) || value.size() != 3) return Verdict::Broken;
  status_ = static_cast<std::int16_t>(number_of(value));
  return status_ == -1 || status_ == 101 ? Verdict::Broken : Verdict::Take;
}

Verdict MessageRules::judge_length(std::string_view value) {
  if (!request_) {
    if (status_ == 204) {
      // Some servers send it, although it is forbidden.
      if (length_ != -1 || value != "0") return Verdict::Broken;
      length_ = 0;
      return Verdict::LeaveOut;
    }
    if (status_ / 100 == 1) return Verdict::Broken;
    if (status_ / 100 == 2 && method_ == Method::Connect) return Verdict::LeaveOut;
  }
  if (length_ != -1) return Verdict::Broken;
  length_ = number_of(value);
  return length_ == -1 ? Verdict::Broken : Verdict::Take;
}

bool MessageRules::end_block(bool ends) {
  const bool good = trailers_ ? ends : request_ ? end_request() : end_response();
  return good && (!ends || may_end());
}

bool MessageRules::end_request() {
  const auto has = [this](std::uint16_t fields) { return (seen_ & fields) == fields; };
  if (method_ == Method::Connect && !has(kProtocol)) {
    length_ = -1;
    return !has(kScheme) && !has(kPath) && has(kAuthority);
  }
  if (!has(kMethod | kPath | kScheme) || !(has(kAuthority) || has(kHost))) return false;
  if (has(kProtocol) && !(method_ == Method::Connect && has(kAuthority))) return false;
  return !has(kHttpScheme) || has(kSlashPath) || (method_ == Method::Options && has(kAsteriskPath));
}

bool MessageRules::end_response() {
  if ((seen_ & kStatus) == 0) return false;
  interim_ = status_ / 100 == 1;
  if (interim_) {
    seen_ = 0;
    length_ = -1;
    status_ = -1;
    return true;
  }
  if (method_ == Method::Head || status_ == 304 || status_ == 204) {
    length_ = 0;
  } else if (method_ == Method::Connect) {
    length_ = -1;
  }
  return true;
}

}  // namespace wire::http2
