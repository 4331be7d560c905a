#include "wire/proxy_protocol.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <vector>

#include <arpa/inet.h>

namespace wire::proxy_protocol {
namespace {

using Result = Reading::Result;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kHead2 = 16;  // signature, version and command, family, length
constexpr std::size_t kMostLine1 = 108;
constexpr std::uint8_t kVersion2 = 0x20;
constexpr std::uint8_t kLocal = 0x0;
constexpr std::uint8_t kProxy = 0x1;
constexpr std::uint8_t kInet = 0x1;
constexpr std::uint8_t kInet6 = 0x2;
constexpr std::uint8_t kStream = 0x1;
constexpr std::uint8_t kDatagram = 0x2;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

void append_number(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 255);
}

bool begins_alike(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return a.substr(0, size) == b.substr(0, size);
}

/// An address that one host of many can have: TCP needs one.
bool is_unicast(const Address& address) {
  if (address.ipv6) {
    return address.bytes[0] != 0xff && address.bytes != std::array<std::uint8_t, 16>{};
  }
  const std::array<std::uint8_t, 4> any{};
  const std::array<std::uint8_t, 4> all{255, 255, 255, 255};
  const bool multicast = (address.bytes[0] & 0xf0) == 0xe0;
  return !multicast && !std::equal(any.begin(), any.end(), address.bytes.begin()) &&
         !std::equal(all.begin(), all.end(), address.bytes.begin());
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0;;) {
    const std::size_t blank = line.find(' ', at);
    words.push_back(line.substr(at, blank - at));
    if (blank == std::string_view::npos) return words;
    at = blank + 1;
  }
}

std::optional<Address> address_of(std::string_view text, std::string_view port, bool ipv6) {
  Address address;
  address.ipv6 = ipv6;
  const std::string copy(text);
  if (inet_pton(ipv6 ? AF_INET6 : AF_INET, copy.c_str(), address.bytes.data()) != 1) return {};
  const char* const end = port.data() + port.size();
  const auto read = std::from_chars(port.data(), end, address.port);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return address;
}

/// A line of version 1, without its end. False: it is none.
bool read_line(std::string_view line, std::optional<Ends>& ends) {
  line = line.substr(0, line.find_last_not_of(" \t\r\n\v\f") + 1);
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() < 2 || words[0] != "PROXY") return false;
  if (words[1] == "UNKNOWN") return true;
  const bool ipv6 = words[1] == "TCP6";
  if (words.size() != 6 || (!ipv6 && words[1] != "TCP4")) return false;
  const auto source = address_of(words[2], words[4], ipv6);
  const auto destination = address_of(words[3], words[5], ipv6);
  if (!source || !destination) return false;
  ends = Ends{*source, *destination};
  return is_unicast(*source) && is_unicast(*destination);
}

Reading read_v1(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  // "\r\n" alone may be the begin of version 2.
  if (end == std::string_view::npos || end == 0) {
    return {bytes.size() > kMostLine1 ? Result::Wrong : Result::Incomplete, 0, 0, {}};
  }
  const std::size_t used = end + 2;
  Reading reading{Result::Header, 1, used, {}};
  if (used > kMostLine1 || !read_line(bytes.substr(0, used), reading.ends))
    reading.result = Result::Wrong;
  return reading;
}

/// Whether the rest of a header is a list of types, each with its length and value.
bool are_extensions(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const std::size_t size = 3U + number_at(bytes, 1);
    if (bytes.size() < size) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

Address address_at(std::string_view bytes, std::size_t at, std::size_t port_at, bool ipv6) {
  Address address;
  address.ipv6 = ipv6;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), ipv6 ? 16 : 4,
              address.bytes.begin());
  address.port = number_at(bytes, port_at);
  return address;
}

Reading read_v2(std::string_view bytes) {
  constexpr Reading kWrong{Result::Wrong, 2, 0, {}};
  const std::uint8_t command = byte_at(bytes, 12);
  if ((command & 0xf0) != kVersion2) return kWrong;
  const std::size_t length = number_at(bytes, 14);
  Reading reading{Result::Header, 2, kHead2 + length, {}};
  if ((command & 0x0f) == kLocal) {
    if (bytes.size() < reading.used) reading.result = Result::Incomplete;
    return reading;
  }
  const std::uint8_t family = byte_at(bytes, 13) >> 4;
  const std::uint8_t transport = byte_at(bytes, 13) & 0x0f;
  if (family != kInet && family != kInet6) return kWrong;
  const bool ipv6 = family == kInet6;
  const std::size_t address_bytes = ipv6 ? 16 : 4;
  const std::size_t ends_bytes = 2 * (address_bytes + 2);
  if (length < ends_bytes) return kWrong;
  if (bytes.size() < kHead2 + ends_bytes) return {Result::Incomplete, 2, 0, {}};
  if ((command & 0x0f) != kProxy) return kWrong;
  if (transport != kStream && transport != kDatagram) return kWrong;
  if (bytes.size() < reading.used) return {Result::Incomplete, 2, 0, {}};
  const std::size_t ports_at = kHead2 + 2 * address_bytes;
  reading.ends = Ends{address_at(bytes, kHead2, ports_at, ipv6),
                      address_at(bytes, kHead2 + address_bytes, ports_at + 2, ipv6)};
  const std::string_view extensions = bytes.substr(kHead2 + ends_bytes, length - ends_bytes);
  if (!are_extensions(extensions)) return kWrong;
  if (!is_unicast(reading.ends->source) || !is_unicast(reading.ends->destination)) return kWrong;
  return reading;
}

}  // namespace

Address Address::ipv4(std::uint32_t address, std::uint16_t port) {
  Address made;
  for (std::size_t i = 0; i < 4; ++i) {
    made.bytes[i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
  }
  made.port = port;
  return made;
}

std::string Address::address_text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string Address::text() const {
  const std::string address = address_text();
  return (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Reading read(std::string_view bytes, bool optional) {
  if (optional && !begins_alike(bytes, kSignature1) && !begins_alike(bytes, kSignature2)) {
    return {Result::NoHeader, 0, 0, {}};
  }
  if (bytes.size() >= kHead2) {
    if (begins_alike(bytes, kSignature2)) return read_v2(bytes);
    if (!begins_alike(bytes, kSignature1)) return {Result::Wrong, 0, 0, {}};
  }
  return read_v1(bytes);
}

std::string write_v1(const Ends& ends) {
  std::string line(kSignature1);
  line += ends.source.ipv6 ? "TCP6 " : "TCP4 ";
  line += ends.source.address_text() + " " + ends.destination.address_text() + " ";
  line += std::to_string(ends.source.port) + " " + std::to_string(ends.destination.port);
  return line + "\r\n";
}

std::string write_v2(const Ends& ends) {
  std::string out(kSignature2);
  const std::size_t size = ends.source.ipv6 ? 16 : 4;
  out += static_cast<char>(kVersion2 | kProxy);
  out += static_cast<char>((ends.source.ipv6 ? kInet6 : kInet) << 4 | kStream);
  append_number(out, static_cast<std::uint16_t>(2 * (size + 2)));
  for (const Address* address : {&ends.source, &ends.destination}) {
    out.append(address->bytes.begin(), address->bytes.begin() + static_cast<std::ptrdiff_t>(size));
  }
  append_number(out, ends.source.port);
  append_number(out, ends.destination.port);
  return out;
}

std::string write_v2_local() {
  std::string out(kSignature2);
  out += static_cast<char>(kVersion2 | kLocal);
  return out.append(3, '\0');
}

namespace {

/// Source: RFC 3720, section 12.1 and appendix B.4.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0x82f63b78U & (0U - (crc & 1U)));
  }
  return ~crc;
}

}  // namespace

std::string write_v2_filled(const std::optional<Ends>& ends, std::uint16_t length) {
  constexpr char kChecksum = 3;
  constexpr char kNoOp = 4;
  constexpr std::size_t kFixed = 16;
  std::string out = ends ? write_v2(*ends) : write_v2_local();
  if (!ends) out[kFixed - 3] = kInet << 4 | kStream;
  out[kFixed - 2] = static_cast<char>(length >> 8);
  out[kFixed - 1] = static_cast<char>(length);
  out += kChecksum;
  append_number(out, 4);
  const std::size_t checksum_at = out.size();
  out.append(4, '\0');
  assert(out.size() + 3 <= kFixed + length);
  out += kNoOp;
  append_number(out, static_cast<std::uint16_t>(kFixed + length - out.size() - 2));
  out.resize(kFixed + length);
  const std::uint32_t checksum = crc32c(out);
  for (std::size_t i = 0; i < 4; ++i) {
    out[checksum_at + i] = static_cast<char>(checksum >> (24 - 8 * i));
  }
  return out;
}

}  // namespace wire::proxy_protocol
