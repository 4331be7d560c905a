#include "wire/proxy_protocol.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace wire::proxy_protocol {
namespace {

using Result = Reading::Result;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

Ends ends4() {
  return {Address::ipv4(0xcb007107, 4321), Address::ipv4(0xc6336409, 9080)};
}

Ends ends6() {
  Ends ends{Address::ipv4(0, 4321), Address::ipv4(0, 9080)};
  for (Address* address : {&ends.source, &ends.destination}) {
    address->ipv6 = true;
    address->bytes = {0x20, 0x01, 0x0d, 0xb8};
  }
  ends.source.bytes[15] = 1;
  ends.destination.bytes[15] = 2;
  return ends;
}

std::string v2(std::uint8_t command, std::uint8_t family, std::uint16_t length,
               std::string_view rest) {
  std::string bytes(kSignature);
  bytes += static_cast<char>(command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(length >> 8);
  bytes += static_cast<char>(length & 255);
  return bytes.append(rest);
}

const std::string kAddresses("\xcb\x00\x71\x07\xc6\x33\x64\x09\x10\xe1\x23\x78", 12);

TEST(ProxyProtocol, WhatIsWrittenIsRead) {
  for (const Ends& ends : {ends4(), ends6()}) {
    for (const std::string& header : {write_v1(ends), write_v2(ends)}) {
      const Reading reading = read(header + "GET", false);
      EXPECT_EQ(reading.result, Result::Header);
      EXPECT_EQ(reading.used, header.size());
      EXPECT_EQ(reading.ends, ends);
    }
  }
  EXPECT_EQ(write_v1(ends4()), "PROXY TCP4 203.0.113.7 198.51.100.9 4321 9080\r\n");
  EXPECT_EQ(write_v2(ends4()), v2(0x21, 0x11, 12, kAddresses));
  EXPECT_EQ(ends6().source.text(), "[2001:db8::1]:4321");
}

TEST(ProxyProtocol, AHeaderMayComeInPieces) {
  for (const std::string& header :
       {write_v1(ends4()), write_v2(ends6()), write_v2_local(), std::string("PROXY UNKNOWN\r\n")}) {
    for (std::size_t size = 1; size < header.size(); ++size) {
      EXPECT_EQ(read(header.substr(0, size), false).result, Result::Incomplete);
      EXPECT_EQ(read(header.substr(0, size), true).result, Result::Incomplete);
    }
  }
}

TEST(ProxyProtocol, ASenderMaySpeakForItself) {
  for (const std::string& header :
       {write_v2_local(), v2(0x20, 0x11, 12, kAddresses), std::string("PROXY UNKNOWN\r\n"),
        std::string("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n")}) {
    const Reading reading = read(header, false);
    EXPECT_EQ(reading.result, Result::Header);
    EXPECT_EQ(reading.used, header.size());
    EXPECT_FALSE(reading.ends);
  }
}

TEST(ProxyProtocol, ALineMayEndInBlanksAndBeThisLong) {
  EXPECT_EQ(read("PROXY TCP4 203.0.113.7 198.51.100.9 4321 9080 \t\r\n", false).ends, ends4());
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", false).used, 108U);
}

TEST(ProxyProtocol, ExtensionsBelongToTheHeader) {
  const std::string good("\xea\x00\x05\x01vpce", 8);
  const Reading reading = read(v2(0x21, 0x12, 20, kAddresses + good) + "GET", false);
  EXPECT_EQ(reading.result, Result::Header);
  EXPECT_EQ(reading.used, 36U);
  EXPECT_EQ(reading.ends, ends4());
  EXPECT_EQ(read(v2(0x21, 0x11, 14, kAddresses + "ab"), false).result, Result::Wrong);
}

TEST(ProxyProtocol, DamagedHeadersAreWrong) {
  struct Case {
    std::string bytes;
    int version;
  };
  const std::vector<Case> cases = {
      {v2(0x11, 0x11, 12, kAddresses), 2},  // version
      {v2(0x22, 0x11, 12, kAddresses), 2},  // command
      {v2(0x21, 0x00, 0, {}), 2},           // no family
      {v2(0x21, 0x31, 216, {}), 2},         // UNIX
      {v2(0x21, 0x10, 12, kAddresses), 2},  // no transport
      {v2(0x21, 0x11, 4, kAddresses), 2},   // too short
      {"PROXY TCP4 999.0.113.7 198.51.100.9 4321 9080\r\n", 1},
      {"PROXY TCP4 203.0.113.7 198.51.100.9 4321 90800\r\n", 1},
      {"PROXY TCP4 2001:db8::1 2001:db8::2 4321 9080\r\n", 1},
      {"PROXY TCP4 203.0.113.7 198.51.100.9 4321 9080\nGET / HTTP/1.1\r\n", 1},
      {"PROXY TCP4 224.0.0.1 198.51.100.9 4321 9080\r\n", 1},
      {"PROXY TCP4 203.0.113.7 198.51.100.9 4321\r\n", 1},
      {"PROXY TCP4  203.0.113.7 198.51.100.9 4321 9080\r\n", 1},
      {"PROXY UNKNOWN " + std::string(93, 'x') + "\r\n", 1},
      {"GET /\r\n", 1},
      {"proxy TCP4 203.0.113.7 198.51.100.9 4321 9080\r\n", 0},
      {"PROXY TCP4 " + std::string(120, '1'), 0},
      {"GET / HTTP/1.1\r\nhost: a\r\n\r\n", 0},
  };
  for (const Case& each : cases) {
    const Reading reading = read(each.bytes, false);
    EXPECT_EQ(reading.result, Result::Wrong) << each.bytes;
    EXPECT_EQ(reading.version, each.version) << each.bytes;
  }
}

TEST(ProxyProtocol, WhereItIsOptionalOnlyWhatLooksLikeAHeaderIsOne) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\n", true).result, Result::NoHeader);
  EXPECT_EQ(read("PRI", true).result, Result::NoHeader);
  EXPECT_EQ(read("PR", true).result, Result::Incomplete);
  EXPECT_EQ(read(v2(0x11, 0x11, 12, kAddresses), true).result, Result::Wrong);
}

TEST(ProxyProtocol, AsABalancerFillsIt) {
  const std::string header = write_v2_filled(ends4(), 84);
  ASSERT_EQ(header.size(), 100U);
  EXPECT_EQ(header.substr(12, 4), std::string("\x21\x11\0\x54", 4));
  EXPECT_EQ(header.substr(28, 3), std::string("\3\0\4", 3));
  EXPECT_EQ(header.substr(35, 3), std::string("\4\0\x3e", 3));
  const Reading reading = read(header, false);
  EXPECT_EQ(reading.result, Result::Header);
  EXPECT_EQ(reading.used, 100U);
  EXPECT_EQ(reading.ends, ends4());
}

TEST(ProxyProtocol, AHealthChecksHasNoAddress) {
  const std::string header = write_v2_filled(std::nullopt, 84);
  EXPECT_EQ(header.substr(12, 4), std::string("\x20\x11\0\x54", 4));
  EXPECT_EQ(header.substr(16, 3), std::string("\3\0\4", 3));
  EXPECT_EQ(header.substr(23), std::string("\4\0\x4a", 3) + std::string(74, '\0'));
  EXPECT_EQ(read(header, false).ends, std::nullopt);
  EXPECT_EQ(read(header, false).used, 100U);
}

/// The checksum is over the whole header, with zeros in its own place.
TEST(ProxyProtocol, TheChecksumIsTheOneOfTheSpecification) {
  EXPECT_EQ(write_v2_filled(std::nullopt, 10).substr(19), std::string("\x14\xe7\xc3\xe0\4\0\0", 7));
}

}  // namespace
}  // namespace wire::proxy_protocol
