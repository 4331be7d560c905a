#include "control/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace control {
namespace {

using testing::ElementsAre;

world::Result<Accounts, world::Errors> read(const std::string& text) {
  auto document = document::parse(text, "a.yaml");
  EXPECT_TRUE(document) << text;
  return read_accounts(*document);
}

TEST(Accounts, KeysAndSharesAreRead) {
  const auto accounts = read(R"(
accounts:
  - { id: "111111111111", keys: [ { id: AKIAOWNER, secret: s1 } ] }
  - { id: "222222222222", keys: [ { id: ASIACONSUMER, secret: s2, sessionToken: t } ] }
shares:
  - { mesh: shop, owner: "111111111111", consumer: "222222222222", gateways: true }
)");
  ASSERT_TRUE(accounts);
  EXPECT_EQ(accounts->keys.at("AKIAOWNER").account, "111111111111");
  EXPECT_EQ(accounts->keys.at("ASIACONSUMER").session_token, "t");
  ASSERT_EQ(accounts->shares.size(), 1u);
  EXPECT_TRUE(accounts->shares.front().gateways);
}

TEST(Accounts, EverythingWrongIsToldWithItsPlace) {
  const auto accounts = read(R"(
accounts:
  - { id: "11", keys: [ { id: K, secret: s } ] }
  - { id: "222222222222", keys: [ { id: K, secret: s } ] }
shares:
  - { mesh: shop, owner: "222222222222", consumer: "333333333333" }
)");
  ASSERT_FALSE(accounts);
  std::vector<std::string> texts;
  for (const world::Error& error : accounts.error()) texts.push_back(error.text());
  EXPECT_THAT(
      texts,
      ElementsAre("a.yaml:3:11: /accounts/0/id: must be 12 digits, is \"11\"",
                  "a.yaml:4:41: /accounts/1/keys/0/id: must be another than K, which is taken",
                  "a.yaml:6:52: /shares/0/consumer: must be one of the accounts, is 333333333333"));
}

}  // namespace
}  // namespace control
