#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "document/parse.h"
#include "mesh/read.h"
#include "proxy/compile.h"

namespace proxy {
namespace {

using wire::tls::SubjectName;

constexpr std::string_view kFile =
    "certificate: {file: {certificateChain: /certs/edge.pem, privateKey: /certs/edge.key}}";

std::shared_ptr<const GatewayPlan> plan_of(const std::string& text) {
  const auto documents = document::parse_all(text, "m.yaml");
  if (!documents) {
    ADD_FAILURE() << "the text is no YAML";
    return std::make_shared<GatewayPlan>();
  }
  const auto mesh = mesh::load(*documents);
  if (!mesh) {
    for (const world::Error& error : mesh.error()) ADD_FAILURE() << error.text();
    return std::make_shared<GatewayPlan>();
  }
  return compile(*mesh, "edge").value();
}

/// A mesh with a gateway and one node, "books" at 8080.
struct Told {
  std::string protocol = "http";
  std::string listener_tls{};    ///< Of the gateway.
  std::string backend_policy{};  ///< The gateway's.
  std::string node_tls{};
  std::string discovery = "dns: {hostname: books.shop.local}";
};

std::shared_ptr<const GatewayPlan> plan_of(const Told& told) {
  const auto tls = [](const std::string& text) {
    return text.empty() ? "" : ", tls: {" + text + "}";
  };
  const std::string defaults =
      told.backend_policy.empty()
          ? ""
          : ", backendDefaults: {clientPolicy: {tls: {" + told.backend_policy + "}}}";
  return plan_of(fmt::format(
      "- virtualGateway: edge\n"
      "  spec: {{listeners: [{{portMapping: {{port: 9080, protocol: {0}}}{1}}}]{2}}}\n"
      "- gatewayRoute: r\n"
      "  virtualGateway: edge\n"
      "  spec: {{{0}Route: {{match: {{prefix: /}}, action: {{target: {{virtualService:"
      " {{virtualServiceName: books}}}}}}}}}}\n"
      "- virtualService: books\n"
      "  spec: {{provider: {{virtualNode: {{virtualNodeName: books}}}}}}\n"
      "- virtualNode: books\n"
      "  spec: {{listeners: [{{portMapping: {{port: 8080, protocol: http}}{3}}}],"
      " serviceDiscovery: {{{4}}}}}\n",
      told.protocol, tls(told.listener_tls), defaults, tls(told.node_tls), told.discovery));
}

const std::optional<TlsPlan>& towards_books(const GatewayPlan& plan) {
  return plan.egress->clusters.at(0).tls;
}

/// "dns:a uri:b"
std::string text_of(const std::vector<SubjectName>& names) {
  std::string out;
  for (const SubjectName& name : names) {
    if (!out.empty()) out += ' ';
    out += (name.kind == SubjectName::Kind::Dns ? "dns:" : "uri:") + name.text;
  }
  return out;
}

TEST(CompileTls, AListenerTakesItsModeAndItsCertificate) {
  const auto none = plan_of(Told{});
  EXPECT_EQ(none->ingress[0].tls_mode, HopPlan::TlsMode::Disabled);
  EXPECT_FALSE(none->ingress[0].tls);

  const auto disabled = plan_of(Told{.listener_tls = fmt::format("mode: DISABLED, {}", kFile)});
  EXPECT_EQ(disabled->ingress[0].tls_mode, HopPlan::TlsMode::Disabled);
  EXPECT_FALSE(disabled->ingress[0].tls);

  const auto strict = plan_of(Told{.listener_tls = fmt::format("mode: STRICT, {}", kFile)});
  const HopPlan& hop = strict->ingress[0];
  EXPECT_EQ(hop.tls_mode, HopPlan::TlsMode::Strict);
  ASSERT_TRUE(hop.tls);
  EXPECT_EQ(hop.tls->settings.role, wire::tls::Role::Server);
  EXPECT_TRUE(hop.tls->settings.alpn.empty());
  EXPECT_FALSE(hop.tls->settings.require_certificate);
  EXPECT_FALSE(hop.tls->trust);
  ASSERT_EQ(hop.tls->certificates.size(), 1U);
  EXPECT_EQ(hop.tls->certificates[0].kind, SecretName::Kind::File);
  EXPECT_EQ(hop.tls->certificates[0].name, "/certs/edge.pem");
  EXPECT_EQ(hop.tls->certificates[0].key, "/certs/edge.key");
  // Between the hops and towards a node without TLS all is in plain text.
  EXPECT_FALSE(hop.clusters.at(0).tls);
  EXPECT_EQ(strict->egress->tls_mode, HopPlan::TlsMode::Disabled);
  EXPECT_FALSE(towards_books(*strict));
}

TEST(CompileTls, AnHttp2ListenerOffersH2) {
  const auto plan = plan_of(Told{
      .protocol = "http2",
      .listener_tls = "mode: PERMISSIVE, certificate: {acm: {certificateArn: \"arn:aws:acm:c\"}}"});
  const HopPlan& hop = plan->ingress[0];
  EXPECT_EQ(hop.tls_mode, HopPlan::TlsMode::Permissive);
  EXPECT_EQ(hop.tls->settings.alpn, std::vector<std::string>{"h2"});
  EXPECT_EQ(hop.tls->certificates[0].kind, SecretName::Kind::Acm);
  EXPECT_EQ(hop.tls->certificates[0].name, "arn:aws:acm:c");
}

TEST(CompileTls, AValidationRequiresClientCertificates) {
  const auto plan = plan_of(
      Told{.listener_tls = "mode: STRICT, certificate: {sds: {secretName: edge}}, validation: {"
                           "trust: {sds: {secretName: clients}}, subjectAlternativeNames: {match:"
                           " {exact: [a.shop.local, \"spiffe://shop/partner\"]}}}"});
  const TlsPlan& tls = *plan->ingress[0].tls;
  EXPECT_TRUE(tls.settings.require_certificate);
  EXPECT_EQ(tls.certificates[0].kind, SecretName::Kind::Sds);
  EXPECT_EQ(tls.certificates[0].name, "edge");
  EXPECT_EQ(tls.trust->kind, SecretName::Kind::Sds);
  EXPECT_EQ(tls.trust->name, "clients");
  EXPECT_EQ(text_of(tls.settings.names), "dns:a.shop.local uri:spiffe://shop/partner");
}

TEST(CompileTls, APolicyEnforcesTlsWhereItsPortsSay) {
  const std::string trust = "validation: {trust: {file: {certificateChain: /certs/ca.pem}}}";
  struct Case {
    std::string policy;
    bool applies;
  };
  for (const auto& [policy, applies] : std::vector<Case>{{trust, true},
                                                         {"enforce: true, " + trust, true},
                                                         {"enforce: false, " + trust, false},
                                                         {"ports: [8080], " + trust, true},
                                                         {"ports: [80, 8080], " + trust, true},
                                                         {"ports: [8081], " + trust, false}}) {
    const auto plan = plan_of(Told{.backend_policy = policy});
    const auto& tls = towards_books(*plan);
    ASSERT_EQ(tls.has_value(), applies) << policy;
    if (!applies) continue;
    EXPECT_EQ(tls->settings.role, wire::tls::Role::Client);
    EXPECT_EQ(tls->settings.most, wire::tls::Version::Tls12);
    EXPECT_TRUE(tls->settings.server_name.empty());
    EXPECT_TRUE(tls->certificates.empty());
    EXPECT_EQ(tls->trust->name, "/certs/ca.pem");
  }
}

TEST(CompileTls, APolicyNamesWhomItTrustsAndWhatItShows) {
  const auto plan = plan_of(
      Told{.backend_policy = "certificate: {sds: {secretName: edge}}, validation: {trust: {acm: "
                             "{certificateAuthorityArns: [\"arn:a\", \"arn:b\", \"arn:c\"]}}}"});
  const TlsPlan& tls = *towards_books(*plan);
  ASSERT_EQ(tls.certificates.size(), 1U);
  EXPECT_EQ(tls.certificates[0].kind, SecretName::Kind::Sds);
  EXPECT_EQ(tls.trust->kind, SecretName::Kind::Acm);
  EXPECT_EQ(tls.trust->name, "arn:a");
  EXPECT_EQ(tls.trust->others, (std::vector<std::string>{"arn:b", "arn:c"}));
}

TEST(CompileTls, WithoutNamesAServerMustHaveThatOfItsDiscovery) {
  const std::string trust = "validation: {trust: {file: {certificateChain: /certs/ca.pem}}";
  const std::string cloud_map = "awsCloudMap: {namespaceName: shop.local, serviceName: books}";
  struct Case {
    std::string more;
    std::string discovery;
    std::string_view names;
  };
  const std::string dns = Told{}.discovery;
  for (const auto& [more, discovery, names] : std::vector<Case>{
           {"", dns, "dns:books.shop.local"},
           {"", cloud_map, "dns:books.shop.local"},
           {", subjectAlternativeNames: {match: {exact: [other.local]}}", dns, "dns:other.local"},
           {", subjectAlternativeNames: {match: {exact: [\"spiffe://shop/books\"]}}", cloud_map,
            "uri:spiffe://shop/books"}}) {
    const auto plan = plan_of(Told{.backend_policy = trust + more + "}", .discovery = discovery});
    EXPECT_EQ(text_of(towards_books(*plan)->settings.names), names) << more << discovery;
  }
}

TEST(CompileTls, WithoutAPolicyTheNodeDecides) {
  const auto by_node = [](const std::string& tls) {
    return towards_books(*plan_of(Told{.node_tls = tls}));
  };
  const std::string acm = "certificate: {acm: {certificateArn: \"arn:books\"}}";
  EXPECT_FALSE(by_node(fmt::format("mode: DISABLED, {}", kFile)));

  const auto file = by_node(fmt::format("mode: STRICT, {}", kFile));
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->trust);

  const auto permissive = by_node("mode: PERMISSIVE, " + acm);
  ASSERT_TRUE(permissive);
  EXPECT_EQ(permissive->trust->kind, SecretName::Kind::Acm);
  EXPECT_EQ(permissive->trust->name, "arn:books");
  EXPECT_TRUE(permissive->settings.names.empty());
}

TEST(CompileTls, APolicyThatDoesNotApplyLeavesItToTheNode) {
  const auto plan = plan_of(
      Told{.backend_policy =
               "ports: [8081], validation: {trust: {file: {certificateChain: /certs/ca.pem}}}",
           .node_tls = fmt::format("mode: STRICT, {}", kFile)});
  ASSERT_TRUE(towards_books(*plan));
  EXPECT_FALSE(towards_books(*plan)->trust);
}

}  // namespace
}  // namespace proxy
