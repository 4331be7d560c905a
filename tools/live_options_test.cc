#include "tools/live_options.h"

#include <gtest/gtest.h>

namespace tools {
namespace {

TEST(LiveOptions, AServiceIsANameAndItsPlace) {
  const auto place = parse_service("books.shop.local=127.0.0.1:8080");
  ASSERT_TRUE(place);
  EXPECT_EQ(*place, (ServicePlace{"books.shop.local", "127.0.0.1", 8080}));
}

TEST(LiveOptions, AServiceThatIsNotOfItsFormIsRefused) {
  for (const char* written : {"", "books", "books=host", "books:80", "=host:80", "books=:80",
                              "books=host:", "books=host:0", "books=host:65536", "books=host:8x"}) {
    const auto place = parse_service(written);
    ASSERT_FALSE(place) << written;
    EXPECT_EQ(place.error().path, "--service");
    EXPECT_TRUE(place.error().message.ends_with(", is '" + std::string(written) + "'"))
        << place.error().message;
  }
}

TEST(LiveOptions, AHeaderIsANameAndAValue) {
  EXPECT_EQ(*parse_header("x-env:  beta "),
            (std::pair<std::string, std::string>("x-env", "beta ")));
  EXPECT_EQ(*parse_header("x-env:"), (std::pair<std::string, std::string>("x-env", "")));
  EXPECT_FALSE(parse_header(": beta"));
  EXPECT_FALSE(parse_header("beta"));
}

TEST(LiveOptions, AnAddressToListenOnIsDotted) {
  EXPECT_EQ(*parse_listen_address("127.0.0.1"), world::kLoopbackAddress);
  EXPECT_FALSE(parse_listen_address("localhost"));
}

}  // namespace
}  // namespace tools
