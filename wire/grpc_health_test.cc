#include "wire/grpc_health.h"

#include <gtest/gtest.h>

namespace wire::grpc {
namespace {

using namespace std::string_literals;

TEST(GrpcHealth, ARequestNamesItsServiceInFieldOne) {
  EXPECT_EQ(health_check_request(""), "");
  EXPECT_EQ(health_check_request("shop.Books"), "\x0a\x0ashop.Books");
}

TEST(GrpcHealth, AStatusIsReadAndUnknownFieldsAreSkipped) {
  EXPECT_EQ(serving_status(""), ServingStatus::Unknown);
  EXPECT_EQ(serving_status("\x08\x01"), ServingStatus::Serving);
  EXPECT_EQ(serving_status("\x08\x02"), ServingStatus::NotServing);
  EXPECT_EQ(serving_status("\x12\x01x\x08\x01"), ServingStatus::Serving);
}

TEST(GrpcHealth, WhatIsNoMessageHasNoStatus) {
  EXPECT_EQ(serving_status("\xff\xff"), std::nullopt);
  EXPECT_EQ(serving_status("\x0a\x01x"), std::nullopt) << "a string where the status is";
  EXPECT_EQ(serving_status("\x08\x07"), std::nullopt) << "no such status";
}

}  // namespace
}  // namespace wire::grpc
