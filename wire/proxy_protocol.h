#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The PROXY protocol, versions 1 and 2: what a balancer puts before the first byte of a connection
/// to tell who is at its other end.
///
/// Source: the PROXY protocol's specification, sections 2.1 and 2.2.
namespace wire::proxy_protocol {

/// An address and a port, of IPv4 or IPv6.
struct Address {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< In network byte order; IPv4: the first four.
  std::uint16_t port = 0;

  static Address ipv4(std::uint32_t address, std::uint16_t port);
  std::string address_text() const;  ///< "10.0.0.1", "2001:db8::1"
  std::string text() const;          ///< "10.0.0.1:80", "[2001:db8::1]:80"
  bool operator==(const Address&) const = default;
};

/// Who speaks to whom.
struct Ends {
  Address source;
  Address destination;
  bool operator==(const Ends&) const = default;
};

/// What the first bytes of a connection were found to be.
struct Reading {
  enum class Result : std::uint8_t {
    Incomplete,  ///< More bytes are needed.
    Header,      ///< A header: `used` bytes of it.
    NoHeader,    ///< Something else, where a header may be absent: nothing is used.
    Wrong,       ///< Something else where there must be a header, or a damaged one.
  };
  Result result = Result::Incomplete;
  int version = 0;  ///< 1 or 2; 0: it could not be told.
  std::size_t used = 0;
  std::optional<Ends> ends;  ///< Of a header; absent where it says that its sender speaks itself.
};

/// Reads a header, exactly as strict and as lax as the real proxy. `bytes` are all that have come
/// so far. `optional`: a connection may begin without one.
///
/// Source: ENV-LIFE-10, -11.
Reading read(std::string_view bytes, bool optional);

/// The header of version 1 or 2. Requires: both ends are of one family.
std::string write_v1(const Ends& ends);
std::string write_v2(const Ends& ends);
/// A header of version 2 that says that its sender speaks for itself.
std::string write_v2_local();

/// A header of version 2 as AWS's balancers write it: with a checksum (TLV 3), and filled up with a
/// no-op (TLV 4) to `length` bytes after its first sixteen. Without ends its sender speaks for
/// itself, of TCP over IPv4 and without any address. Requires: `length` has room for all of it.
/// Source: NLB-A1, NLB-A2.
std::string write_v2_filled(const std::optional<Ends>& ends, std::uint16_t length);

}  // namespace wire::proxy_protocol
