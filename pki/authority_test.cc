#include "pki/authority.h"

#include <gtest/gtest.h>

#include "wire/tls/material.h"

namespace pki {
namespace {

using namespace std::chrono_literals;
using wire::tls::Identity;
using wire::tls::TrustBundle;

constexpr world::CalendarTime kNow{std::chrono::seconds(1'767'225'600)};

Description authority(const std::string& name) {
  Description out;
  out.name = name;
  out.authority = true;
  out.not_before = kNow - 48h;
  out.not_after = kNow + 365 * 24h;
  return out;
}

Description leaf(const std::string& name) {
  Description out = authority(name);
  out.authority = false;
  out.names = {{SubjectName::Kind::Dns, "svc.example"}, {SubjectName::Kind::Uri, "spiffe://a,b/c"}};
  return out;
}

TEST(Authority, WhatIsIssuedCanBeReadAndFitsItsKey) {
  const IssuedPtr root = issue(authority("Root"), nullptr);
  const IssuedPtr middle = issue(authority("Middle"), root);
  const IssuedPtr one = issue(leaf("svc"), middle);
  const auto identity = Identity::read(chain_of(*one), one->key);
  ASSERT_TRUE(identity) << identity.error();
  EXPECT_EQ((*identity)->chain().size(), 2u);  // the root is known to those who trust it
  EXPECT_EQ((*identity)->subject(), "CN=svc");
  EXPECT_EQ(wire::tls::names_of((*identity)->chain().front()), one->description.names);
  EXPECT_TRUE((*identity)->may_sign());
  EXPECT_EQ(Identity::read(one->certificate, root->key).error(),
            "the private key is not the certificate's");
  EXPECT_TRUE(TrustBundle::read(root->certificate + middle->certificate));
}

TEST(Authority, TheSameDescriptionGivesTheSameBytesAndKeysOutliveDates) {
  const IssuedPtr root = issue(authority("Root"), nullptr);
  EXPECT_EQ(issue(authority("Root"), nullptr), root);
  Description later = authority("Root");
  later.not_after += 1h;
  const IssuedPtr renewed = issue(later, nullptr);
  EXPECT_NE(renewed->certificate, root->certificate);
  EXPECT_EQ(renewed->key, root->key);
  EXPECT_NE(issue(authority("Root"), nullptr, 1)->key, root->key);
  // Held against every machine's: the last line but one of the key.
  EXPECT_EQ(root->key.size(), 241u);
}

TEST(Authority, FlawsAreMadeAsTheyAreAskedFor) {
  Description flawed = leaf("nodigsig");
  flawed.cannot_sign = true;
  const IssuedPtr one = issue(flawed, issue(authority("Root"), nullptr));
  EXPECT_FALSE((*Identity::read(one->certificate, one->key))->may_sign());
  Description small = leaf("small");
  small.key = Description::Key::Rsa1024;
  const IssuedPtr rsa = issue(small, nullptr);
  EXPECT_EQ((*Identity::read(rsa->certificate, rsa->key))->key_bits(), 1024);
}

}  // namespace
}  // namespace pki
