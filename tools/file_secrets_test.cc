#include "tools/file_secrets.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pki/authority.h"

namespace tools {
namespace {

using proxy::SecretName;

/// A folder with the files of a test, and a plan of one listener that names them.
class FileSecretsTest : public ::testing::Test {
 protected:
  FileSecretsTest() {
    std::string pattern = ::testing::TempDir() + "secretsXXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    using namespace std::chrono_literals;
    pki::Description ca{.name = "ca", .authority = true};
    ca.not_after = ca.not_before + 24h;
    pki::Description leaf = ca;
    leaf.authority = false;
    leaf.name = "edge";
    const auto issuer = pki::issue(ca, nullptr);
    const auto edge = pki::issue(leaf, issuer);
    leaf.name = "short";
    leaf.key = pki::Description::Key::Rsa1024;
    const auto weak = pki::issue(leaf, issuer);
    write("ca.pem", issuer->certificate);
    write("edge.pem", edge->certificate);
    write("edge.key", edge->key);
    write("short.pem", weak->certificate);
    write("short.key", weak->key);
    write("text", "no certificate\n");
  }
  ~FileSecretsTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  proxy::GatewayPlan plan(const std::string& chain, const std::string& key,
                          const std::string& trust = "") const {
    proxy::GatewayPlan plan;
    proxy::TlsPlan& tls = plan.ingress.emplace_back().tls.emplace();
    tls.settings = wire::tls::Settings::of_proxy(wire::tls::Role::Server);
    tls.certificates.emplace_back().name = path(chain);
    tls.certificates.back().key = path(key);
    if (!trust.empty()) tls.trust.emplace().name = path(trust);
    return plan;
  }

  /// What is told, the folder left out.
  std::vector<std::string> errors_of(const proxy::GatewayPlan& plan) const {
    std::vector<std::string> out;
    const auto read = FileSecrets::read(plan, {"mesh.yaml", 2, 3});
    if (read) return out;
    for (const world::Error& error : read.error()) {
      std::string text = error.text();
      for (std::size_t at; (at = text.find(folder_)) != std::string::npos;) {
        text.erase(at, folder_.size());
      }
      out.push_back(std::move(text));
    }
    return out;
  }

  std::string folder_;
};

using Texts = std::vector<std::string>;

TEST_F(FileSecretsTest, WhatAPlanNamesIsReadOnce) {
  const auto named = plan("edge.pem", "edge.key", "ca.pem");
  const auto secrets = FileSecrets::read(named, {});
  ASSERT_TRUE(secrets);
  write("edge.pem", "changed");
  const proxy::TlsPlan& tls = *named.ingress[0].tls;
  const auto identity = (*secrets)->identity(tls.certificates[0]);
  ASSERT_NE(identity, nullptr);
  EXPECT_EQ(identity->subject(), "CN=edge");
  ASSERT_NE((*secrets)->trust(*tls.trust), nullptr);
  EXPECT_EQ((*secrets)->identity({}), nullptr);
}

TEST_F(FileSecretsTest, FilesThatCannotBeUsedAreToldAllAtOnce) {
  const std::string at = "mesh.yaml:2:3: /spec/listeners/0/tls/";
  EXPECT_EQ(errors_of(plan("none.pem", "", "text")),
            (Texts{at + "certificate/file/certificateChain: /none.pem: there is no such file",
                   at + "certificate/file/privateKey: /: is a folder, not a file",
                   at + "validation/trust/file/certificateChain: /text: the trust bundle holds no "
                        "certificate in PEM"}));
  EXPECT_EQ(errors_of(plan("edge.pem", "text")),
            Texts{at + "certificate/file: /edge.pem with /text: the private key cannot be read as "
                       "PEM"});
}

TEST_F(FileSecretsTest, KeysThatTheRealProxyRefusesAreRefused) {
  const std::string at = "mesh.yaml:2:3: /spec/listeners/0/tls/certificate";
  EXPECT_EQ(errors_of(plan("edge.pem", "short.key")),
            Texts{at + "/file: /edge.pem with /short.key: the private key is not the "
                       "certificate's"});
  const auto told = errors_of(plan("short.pem", "short.key"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].find(at + ": /short.pem with /short.key: the RSA key has 1024 bits"), 0U)
      << told[0];
}

TEST_F(FileSecretsTest, NobodyGivesSecretsBySdsOrOfAcm) {
  proxy::GatewayPlan named = plan("edge.pem", "edge.key");
  named.ingress[0].tls->certificates[0] = {
      .kind = SecretName::Kind::Sds, .name = "edge", .key = {}, .others = {}};
  EXPECT_EQ(errors_of(named),
            Texts{"mesh.yaml:2:3: /spec/listeners/0/tls/certificate: must be a file here, is the "
                  "secret edge, which nobody gives"});

  named.ingress[0].tls.reset();
  proxy::Cluster& cluster = named.ingress[0].clusters.emplace_back();
  cluster.node = "books";
  cluster.tls.emplace().trust =
      SecretName{.kind = SecretName::Kind::Acm, .name = "arn:ca", .key = {}, .others = {}};
  EXPECT_EQ(errors_of(named), Texts{"mesh.yaml:2:3: TLS towards virtual node books needs arn:ca of "
                                    "ACM, which nobody gives"});
}

}  // namespace
}  // namespace tools
