#include "wire/grpc.h"

#include <gtest/gtest.h>

namespace wire::grpc {
namespace {

TEST(Grpc, MessagesComeOutOfPiecesAsTheyWentIn) {
  std::string body;
  append_message(body, "one");
  append_message(body, "");
  append_message(body, std::string(300, 'x'), true);
  EXPECT_EQ(body.substr(0, 8), std::string("\0\0\0\0\3one", 8));
  MessageReader reader;
  std::string found;
  for (const char c : body) {
    reader.feed({&c, 1});
    while (const auto message = reader.next()) {
      found += std::to_string(message->bytes.size()) + (message->compressed ? "c " : " ");
    }
  }
  EXPECT_EQ(found, "3 0 300c ");
  EXPECT_FALSE(reader.partial());
  reader.feed("\0\0");
  EXPECT_FALSE(reader.next());
}

TEST(Grpc, MessageTextIsEscapedByteByByte) {
  EXPECT_EQ(escape("50% \xc3\xa9\n"), "50%25 %C3%A9%0A");
  EXPECT_EQ(unescape("50%25 %C3%a9%0A"), "50% \xc3\xa9\n");
  EXPECT_EQ(unescape("%"), "%");
  EXPECT_EQ(unescape("%zz%4"), "%zz%4");
}

TEST(Grpc, StatusesHaveNames) {
  EXPECT_EQ(name_of(12), "UNIMPLEMENTED");
  EXPECT_EQ(name_of(17), "");
  EXPECT_EQ(status_of("UNAVAILABLE"), 14U);
  EXPECT_FALSE(status_of("NONE"));
}

}  // namespace
}  // namespace wire::grpc
