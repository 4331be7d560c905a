#include "control/signature.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "mesh/api/uri.h"

namespace control {
namespace {

using mesh::api::Answer;
using mesh::api::ErrorCode;
using mesh::api::Refusal;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kService = "appmesh";
constexpr std::string_view kScopeEnd = "aws4_request";
constexpr std::chrono::minutes kTolerance{5};

using Digest = std::array<unsigned char, 32>;

std::string_view bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string hex(const Digest& digest) {
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

Digest sha256(std::string_view text) {
  Digest digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  return digest;
}

Digest hmac(std::string_view key, std::string_view text) {
  Digest digest{};
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           nullptr) == nullptr) {
    throw std::runtime_error("OpenSSL has no HMAC with SHA-256");
  }
  return digest;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// What an Authorization header says.
struct Authorization {
  std::string key_id;
  std::string date;  ///< "20260930".
  std::string region;
  std::string service;
  std::string signed_headers;  ///< "host;x-amz-date".
  std::string signature;

  std::string scope() const { return fmt::format("{}/{}/{}/{}", date, region, service, kScopeEnd); }
};

Refusal incomplete(std::string message) {
  return {ErrorCode::IncompleteSignature, std::move(message)};
}

Refusal invalid(std::string message) {
  return {ErrorCode::InvalidSignature, std::move(message)};
}

/// Takes "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." apart.
Answer<Authorization> parse_authorization(std::string_view header) {
  if (!header.starts_with(kAlgorithm)) {
    return incomplete(fmt::format("Unsupported AWS 'algorithm': must be {}", kAlgorithm));
  }
  header.remove_prefix(kAlgorithm.size());
  Authorization read;
  std::string_view credential;
  for (const std::string_view part : split(header, ',')) {
    const std::string_view pair = trim(part);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (pair.substr(0, equals) == "Credential") credential = value;
    if (pair.substr(0, equals) == "SignedHeaders") read.signed_headers = value;
    if (pair.substr(0, equals) == "Signature") read.signature = value;
  }
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>("Credential", credential),
        {"Signature", read.signature},
        {"SignedHeaders", read.signed_headers}}) {
    if (!value.empty()) continue;
    return incomplete(fmt::format("Authorization header requires '{}' parameter.", name));
  }
  const auto scope = split(credential, '/');
  if (scope.size() != 5 || scope[4] != kScopeEnd) {
    return incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/aws4_request");
  }
  read.key_id = scope[0];
  read.date = scope[1];
  read.region = scope[2];
  read.service = scope[3];
  return read;
}

std::optional<std::string> header(const SignedRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

/// "20260930T120000Z" as an instant.
std::optional<world::CalendarTime> parse_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) {
    unsigned value = 0;
    const char* end = text.data() + from + count;
    const auto parsed = std::from_chars(text.data() + from, end, value);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
  };
  const auto year = number(0, 4), month = number(4, 2), day = number(6, 2), hour = number(9, 2),
             minute = number(11, 2), second = number(13, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  // What 64 bits of nanoseconds can count.
  if (*year < 1970 || *year > 2200) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::string time_text(world::CalendarTime at) {
  const auto days = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - days));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

/// The path without dot segments and empty ones, escaped once more.
std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") kept.push_back(segment);
  }
  std::string out;
  for (const std::string_view segment : kept) out += "/" + mesh::api::percent_encode(segment);
  if (out.empty() || path.ends_with('/')) out += "/";
  return out;
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view written : split(query, '&')) {
    const std::size_t equals = std::min(written.find('='), written.size());
    const std::string_view value = written.substr(std::min(equals + 1, written.size()));
    const auto encoded = [](std::string_view text) {
      return mesh::api::percent_encode(mesh::api::percent_decode(text).value_or(""));
    };
    pairs.emplace_back(encoded(written.substr(0, equals)), encoded(value));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

/// Blanks around a header's value do not count, and several of them are one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c != ' ' || !out.ends_with(' ')) out += c;
  }
  return out;
}

Answer<std::string> canonical_request(const SignedRequest& request, const Authorization& given) {
  std::string headers;
  bool host = false;
  for (const std::string_view name : split(given.signed_headers, ';')) {
    const auto value = header(request, name);
    if (!value) {
      return invalid(fmt::format("'{}' is a signed header, and is not in the request.", name));
    }
    headers += fmt::format("{}:{}\n", name, canonical_value(*value));
    host = host || name == "host";
  }
  if (!host) return invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view query = request.target.substr(std::min(mark + 1, request.target.size()));
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method,
                     canonical_path(request.target.substr(0, mark)), canonical_query(query),
                     headers, given.signed_headers, hex(sha256(request.body)));
}

std::string sign(const Authorization& given, std::string_view secret, std::string_view time,
                 std::string_view canonical) {
  Digest key = hmac(fmt::format("AWS4{}", secret), given.date);
  for (const std::string_view part :
       {std::string_view(given.region), std::string_view(given.service), kScopeEnd}) {
    key = hmac(bytes(key), part);
  }
  return hex(hmac(bytes(key), fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, given.scope(),
                                          hex(sha256(canonical)))));
}

std::optional<Refusal> check_time(std::string_view written, const Authorization& given,
                                  world::CalendarTime now) {
  const auto signed_at = parse_time(written);
  if (!signed_at) {
    return incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    written));
  }
  if (written.substr(0, 8) != given.date) {
    return invalid(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                    "version of date from HTTP: '{}' != '{}'",
                    given.date, written.substr(0, 8)));
  }
  if (*signed_at < now - kTolerance) {
    return invalid(fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)",
                               written, time_text(now - kTolerance), time_text(now)));
  }
  if (*signed_at > now + kTolerance) {
    return invalid(fmt::format("Signature not yet current: {} is still later than {} ({} + 5 min.)",
                               written, time_text(now + kTolerance), time_text(now)));
  }
  return std::nullopt;
}

std::optional<Refusal> check_scope(const Authorization& given, std::string_view region) {
  if (given.region != region) {
    return invalid(
        fmt::format("Credential should be scoped to a valid region, not '{}'.", given.region));
  }
  if (given.service == kService) return std::nullopt;
  return invalid(fmt::format("Credential should be scoped to correct service: '{}'.", kService));
}

}  // namespace

Answer<std::string> verify(const SignedRequest& request, const Accounts& accounts,
                           std::string_view region, world::CalendarTime now) {
  const auto authorization = header(request, "authorization");
  if (!authorization) {
    return Refusal{ErrorCode::MissingAuthenticationToken, "Missing Authentication Token"};
  }
  const auto given = parse_authorization(*authorization);
  if (!given) return given.error();
  const auto time = header(request, "x-amz-date");
  if (!time) return incomplete("Authorization header requires existence of 'X-Amz-Date' header.");
  if (auto refusal = check_time(*time, *given, now)) return *std::move(refusal);
  if (auto refusal = check_scope(*given, region)) return *std::move(refusal);
  const auto key = accounts.keys.find(given->key_id);
  if (key == accounts.keys.end() ||
      header(request, "x-amz-security-token") != key->second.session_token) {
    return Refusal{ErrorCode::UnrecognizedClient,
                   "The security token included in the request is invalid."};
  }
  const auto canonical = canonical_request(request, *given);
  if (!canonical) return canonical.error();
  const std::string wanted = sign(*given, key->second.secret, *time, *canonical);
  if (wanted.size() != given->signature.size() ||
      CRYPTO_memcmp(wanted.data(), given->signature.data(), wanted.size()) != 0) {
    return invalid(
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.");
  }
  return key->second.account;
}

}  // namespace control
