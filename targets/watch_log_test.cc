#include "targets/watch_log.h"

#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace targets {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = conformance::GatewayReport::Kind;

class WatchLogTest : public ::testing::Test {
 protected:
  ~WatchLogTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) {
    std::ofstream(folder_ / "log", std::ios::app | std::ios::binary) << text;
  }

  static std::filesystem::path make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "watch-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }

  std::filesystem::path folder_ = make_folder();
  WatchLog log_{folder_ / "log"};
};

TEST_F(WatchLogTest, ARequestIsToldOfAtItsBeginAndAtItsEnd) {
  write(R"({"kind":"DownstreamStart","client":"127.3.0.4:40000","gateway":"127.3.0.2:9080",)"
        R"("id":"abc","route":"chapters","flags":null,"details":null,"subject":"CN=partner"})"
        "\n"
        R"({"kind":"DownstreamEnd","client":"127.3.0.4:40000","gateway":"127.3.0.2:9080",)"
        R"("id":"abc","route":"chapters","flags":"UF,URX","details":"via_upstream"})"
        "\n");
  const auto reports = log_.read();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports[0].kind, Kind::Begin);
  EXPECT_EQ(reports[0].client, (world::Endpoint{0x7f030004, 40000}));
  EXPECT_EQ(reports[0].gateway, (world::Endpoint{0x7f030002, 9080}));
  EXPECT_EQ(reports[0].request_id, "abc");
  EXPECT_EQ(reports[0].flags, "-");
  EXPECT_EQ(reports[0].subject, "CN=partner");
  EXPECT_EQ(reports[1].kind, Kind::End);
  EXPECT_EQ(reports[1].route, "chapters");
  EXPECT_EQ(reports[1].flags, "UF,URX");
  EXPECT_EQ(reports[1].details, "") << "of an answer of a service";
}

TEST_F(WatchLogTest, AnAnswerOfTheGatewaysOwnHasDetails) {
  write(R"({"kind":"DownstreamEnd","details":"route_not_found","flags":"NR"})"
        "\n");
  EXPECT_EQ(log_.read().at(0).details, "route_not_found");
}

TEST_F(WatchLogTest, WhatIsNoRequestIsAConnection) {
  write(R"({"kind":"NotSet","client":"127.3.0.4:40000","tls":"TLS_error:|NO_SHARED_CIPHER"})"
        "\n");
  const auto reports = log_.read();
  EXPECT_EQ(reports.at(0).kind, Kind::Connection);
  EXPECT_EQ(reports.at(0).tls_failure, "TLS_error:|NO_SHARED_CIPHER");
}

TEST_F(WatchLogTest, ALineIsReadWhenItIsWhole) {
  EXPECT_THAT(log_.read(), IsEmpty()) << "there is no file yet";
  write(R"({"kind":"DownstreamEnd","id":)");
  EXPECT_THAT(log_.read(), IsEmpty());
  write("\"x\"}\n{\"kind\"");
  EXPECT_EQ(log_.read().at(0).request_id, "x");
  EXPECT_THAT(log_.read(), IsEmpty());
}

TEST(EndpointOf, WhatIsNoneIsTheZeroOne) {
  EXPECT_EQ(endpoint_of("127.0.0.1:80"), (world::Endpoint{world::kLoopbackAddress, 80}));
  for (const char* text : {"", "-", "127.0.0.1", "[::1]:80", "name:80"}) {
    EXPECT_EQ(endpoint_of(text), world::Endpoint{}) << text;
  }
}

}  // namespace
}  // namespace targets
