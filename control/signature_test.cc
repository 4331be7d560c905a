#include "control/signature.h"

#include <chrono>

#include <gtest/gtest.h>

namespace control {
namespace {

using namespace std::chrono_literals;
using mesh::api::ErrorCode;

constexpr world::CalendarTime kSigned =
    std::chrono::sys_days(std::chrono::year(2026) / 9 / 30) + 12h;

/// As botocore signs a request with the key AKIAEXAMPLE, whose secret is "secret".
struct Signed {
  std::string method = "PUT";
  std::string target =
      "/v20190125/meshes/shop/virtualServices/a%2Fb%20c?meshOwner=111111111111&limit=5";
  std::string body = R"({"spec":{}})";
  std::string authorization =
      "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260930/us-west-2/appmesh/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date, "
      "Signature=123aeb2c65170505fa1314125b1989ba7a50841044e840566f06828d6d2b4216";
  std::string token;
  std::string date = "20260930T120000Z";
};

Accounts accounts(std::optional<std::string> token = {}) {
  Accounts accounts;
  accounts.keys["AKIAEXAMPLE"] = {"111111111111", "secret", std::move(token)};
  return accounts;
}

std::string verdict(const Signed& given, const Accounts& known, world::CalendarTime now = kSigned,
                    std::string_view region = "us-west-2") {
  SignedRequest request{given.method, given.target, {}, given.body};
  request.headers = {
      {"content-type", "application/json"}, {"host", "127.0.0.1:4599"}, {"x-amz-date", given.date}};
  if (!given.authorization.empty()) {
    request.headers.emplace_back("authorization", given.authorization);
  }
  if (!given.token.empty()) request.headers.emplace_back("x-amz-security-token", given.token);
  const auto account = verify(request, known, region, now);
  return account ? *account : std::string(text(account.error().code));
}

TEST(Signature, WhatBotocoreSignsIsItsAccounts) {
  EXPECT_EQ(verdict({}, accounts()), "111111111111");
  Signed temporary{.method = "GET", .target = "/v20190125/meshes", .body = "", .token = "tok"};
  temporary.authorization =
      "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260930/us-west-2/appmesh/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
      "Signature=ca6128a9ed0af1bdbcd8e3fdbdf426fcc15ad23beed436e05a17da42ed1c9640";
  EXPECT_EQ(verdict(temporary, accounts("tok")), "111111111111");
  EXPECT_EQ(verdict(temporary, accounts("another")), "UnrecognizedClientException");
}

TEST(Signature, AnyChangeOfTheRequestIsSeen) {
  Signed body;
  body.body = R"({"spec":[]})";
  EXPECT_EQ(verdict(body, accounts()), "InvalidSignatureException");
  Signed query;
  query.target += "0";
  EXPECT_EQ(verdict(query, accounts()), "InvalidSignatureException");
  Signed method;
  method.method = "DELETE";
  EXPECT_EQ(verdict(method, accounts()), "InvalidSignatureException");
  Signed signature;
  signature.authorization.back() = '7';
  EXPECT_EQ(verdict(signature, accounts()), "InvalidSignatureException");
}

TEST(Signature, FiveMinutesBeforeAndAfterAreTheLast) {
  EXPECT_EQ(verdict({}, accounts(), kSigned + 5min), "111111111111");
  EXPECT_EQ(verdict({}, accounts(), kSigned + 5min + 1s), "InvalidSignatureException");
  EXPECT_EQ(verdict({}, accounts(), kSigned - 5min), "111111111111");
  EXPECT_EQ(verdict({}, accounts(), kSigned - 5min - 1s), "InvalidSignatureException");
}

TEST(Signature, OtherKeysRegionsAndHalfHeadersAreRefused) {
  EXPECT_EQ(verdict({}, Accounts{}), "UnrecognizedClientException");
  EXPECT_EQ(verdict({}, accounts(), kSigned, "eu-west-1"), "InvalidSignatureException");
  Signed none;
  none.authorization.clear();
  EXPECT_EQ(verdict(none, accounts()), "MissingAuthenticationTokenException");
  for (const char* header : {"Basic x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential",
                             "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0"}) {
    Signed half;
    half.authorization = header;
    EXPECT_EQ(verdict(half, accounts()), "IncompleteSignatureException") << header;
  }
  Signed date;
  date.date = "30 September";
  EXPECT_EQ(verdict(date, accounts()), "IncompleteSignatureException");
}

}  // namespace
}  // namespace control
