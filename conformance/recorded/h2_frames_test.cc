#include "conformance/recorded/h2_frames.h"

#include <gtest/gtest.h>

namespace conformance::recorded::h2 {
namespace {

using nlohmann::json;

/// The records' list of pairs; two strings in braces would be an object's member.
json list(const Headers& headers) {
  json pairs = json::array();
  for (const auto& [name, value] : headers) pairs.push_back(json::array({name, value}));
  return pairs;
}

/// The records' form of all whole frames in `bytes`.
json records_of(std::string_view bytes) {
  Reader reader;
  reader.add(bytes);
  json records = json::array();
  for (Frame frame; reader.next(frame);) records.push_back(frame.record);
  return records;
}

TEST(Frames, AreReadBackAsTheRecordsSayThem) {
  const struct {
    std::string bytes;
    json record;
  } cases[] = {
      {data_frame(3, "ab", true),
       {{"type", "DATA"}, {"stream", 3}, {"data", "ab"}, {"end_stream", true}}},
      {headers_frames(1, {{":status", "200"}, {"A b", ""}}, false),
       {{"type", "HEADERS"},
        {"stream", 1},
        {"headers", list({{":status", "200"}, {"A b", ""}})},
        {"end_stream", false}}},
      {rst_stream_frame(5, 8), {{"type", "RST_STREAM"}, {"stream", 5}, {"error", "CANCEL"}}},
      {rst_stream_frame(5, 99), {{"type", "RST_STREAM"}, {"stream", 5}, {"error", 99}}},
      {goaway_frame(7, 13),
       {{"type", "GOAWAY"}, {"stream", 0}, {"last_stream", 7}, {"error", "HTTP_1_1_REQUIRED"}}},
      {frame(Type::GoAway, 0, 0, from_hex("00000000000000016162")),
       {{"type", "GOAWAY"},
        {"stream", 0},
        {"last_stream", 0},
        {"error", "PROTOCOL_ERROR"},
        {"debug", "ab"}}},
      {ping_frame(from_hex("0102030405060708"), true),
       {{"type", "PING"}, {"stream", 0}, {"ack", true}, {"opaque", "0102030405060708"}}},
      {window_update_frame(1, 70000),
       {{"type", "WINDOW_UPDATE"}, {"stream", 1}, {"increment", 70000}}},
      {settings_frame({{4, 100}, {8, 1}, {77, 2}}),
       {{"type", "SETTINGS"},
        {"stream", 0},
        {"ack", false},
        {"settings",
         json::array({json::array({"INITIAL_WINDOW_SIZE", 100}),
                      json::array({"ENABLE_CONNECT_PROTOCOL", 1}), json::array({77, 2})})}}},
      {settings_ack(),
       {{"type", "SETTINGS"}, {"stream", 0}, {"ack", true}, {"settings", json::array()}}},
      {frame(Type::Priority, 0, 1, from_hex("0000000010")),
       {{"type", "PRIORITY"}, {"stream", 1}, {"payload", "0000000010"}}},
      {frame(static_cast<Type>(66), 0, 0, "abc"),
       {{"type", 66}, {"stream", 0}, {"payload", "616263"}}},
  };
  for (const auto& each : cases) EXPECT_EQ(records_of(each.bytes), json::array({each.record}));
}

TEST(Frames, BlocksOverAFramesSizeGoOnInContinuation) {
  const Headers headers = {{"a", std::string(40000, 'x')}};
  const std::string bytes = headers_frames(1, headers, true);
  EXPECT_EQ(bytes.size(), header_block(headers).size() + 3 * 9);
  const json records = records_of(bytes);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]["headers"][0][1], std::string(40000, 'x'));
  EXPECT_EQ(records[0]["end_stream"], true);
}

TEST(Frames, PaddingAndPriorityAreRemoved) {
  const std::string block = header_block({{"a", "b"}});
  const std::string padded =
      std::string("\x03", 1) + from_hex("0000000010") + block + std::string(3, '\0');
  const json records =
      records_of(frame(Type::Headers, kEndHeaders | kPadded | kHasPriority, 1, padded) +
                 frame(Type::Data, kPadded, 1, std::string("\x02xy\0\0", 5)));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0]["headers"], list({{"a", "b"}}));
  EXPECT_EQ(records[1]["data"], "xy");
}

TEST(Frames, ABlockMayNameWhatEarlierBlocksPutIntoTheTable) {
  // Literal with incremental indexing, then its index. Source: RFC 7541, 6.2.1 and 6.1.
  const json records =
      records_of(frame(Type::Headers, kEndHeaders, 1, from_hex("4001610162")) +
                 frame(Type::Headers, kEndHeaders | kEndStream, 3, from_hex("be")));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1]["headers"], list({{"a", "b"}}));
}

TEST(Frames, WhatMakesNoWholeFrameIsLeft) {
  const std::string ping = ping_frame("12345678", false);
  Reader reader;
  Frame frame;
  for (const char byte : ping.substr(0, ping.size() - 1)) {
    reader.add({&byte, 1});
    EXPECT_FALSE(reader.next(frame));
  }
  EXPECT_EQ(reader.rest(), ping.substr(0, ping.size() - 1));
  reader.add("8");
  EXPECT_TRUE(reader.next(frame));
  EXPECT_EQ(reader.rest(), "");
}

}  // namespace
}  // namespace conformance::recorded::h2
