#include "ingest/ingest.h"

#include <string>

#include <gtest/gtest.h>

#include "ingest/names.h"

namespace ingest {
namespace {

struct Read {
  mesh::Mesh mesh;
  world::Errors errors;
};

Read read_text(std::string_view text) {
  const auto document = document::parse(text, "edge.template.yaml");
  EXPECT_TRUE(document.has_value());
  document::Problems problems;
  mesh::MeshReader reader;
  read(reader, *document, problems);
  mesh::Mesh mesh = reader.finish(problems);
  return {std::move(mesh), problems.take()};
}

TEST(Names, AreSpelledAsTheApiSpellsThem) {
  EXPECT_EQ(api_name("VirtualGatewayName"), "virtualGatewayName");
  EXPECT_EQ(api_name("TLS"), "tls");
  EXPECT_EQ(api_name("HTTP2"), "http2");
  EXPECT_EQ(api_name("Http2Route"), "http2Route");
  EXPECT_EQ(api_name("AWSCloudMap"), "awsCloudMap");
  EXPECT_EQ(api_name("DNS"), "dns");
}

TEST(Template, FunctionsAreTheNamesTheyStandFor) {
  const Read read = read_text(R"(
Parameters:
  Env: {Type: String, Default: prod}
  Port: {Type: Number, Default: "8443"}
Resources:
  Mesh: {Type: "AWS::AppMesh::Mesh", Properties: {MeshName: {"Fn::Sub": "shop-${Env}"}}}
  Bucket: {Type: "AWS::S3::Bucket"}
  Edge:
    Type: AWS::AppMesh::VirtualGateway
    Properties:
      MeshName: {"Fn::GetAtt": [Mesh, MeshName]}
      VirtualGatewayName: {"Fn::Join": ["-", [edge, {Ref: Env}]]}
      Spec:
        Listeners:
          - PortMapping: {Port: {Ref: Port}, Protocol: http2}
            ConnectionPool: {HTTP2: {MaxRequests: "50"}}
            TLS:
              Mode: STRICT
              Certificate: {ACM: {CertificateArn: {Ref: Certificate}}}
  Certificate: {Type: "AWS::CertificateManager::Certificate"}
  Books:
    Type: AWS::AppMesh::GatewayRoute
    Properties:
      MeshName: {"Fn::GetAtt": "Mesh.MeshName"}
      VirtualGatewayName: {"Fn::GetAtt": [Edge, VirtualGatewayName]}
      Spec:
        Priority: {Ref: "AWS::NoValue"}
        HttpRoute:
          Match: {Prefix: /books}
          Action: {Target: {VirtualService: {VirtualServiceName: books.local}}}
)");
  ASSERT_TRUE(read.errors.empty()) << read.errors.front().message;
  EXPECT_EQ(read.mesh.name, "shop-prod");
  const mesh::VirtualGateway* gateway = read.mesh.gateway("edge-prod");
  ASSERT_NE(gateway, nullptr);
  const mesh::Listener& listener = gateway->listeners.front();
  EXPECT_EQ(listener.port_mapping.port, 8443);
  EXPECT_EQ(listener.pool->max_requests, 50u);
  EXPECT_EQ(listener.tls->certificate.arn, "${Certificate}");
  EXPECT_NE(read.mesh.gateway_route("edge-prod", "Books"), nullptr);
}

TEST(Template, ErrorsHaveThePlaceInTheTemplate) {
  const auto with_mesh_and_port = [](const std::string& mesh, const std::string& port) {
    return read_text(
        "Resources:\n  Edge:\n    Type: AWS::AppMesh::VirtualGateway\n"
        "    Properties:\n      MeshName: " +
        mesh + "\n      Spec: {Listeners: [{PortMapping: {Port: " + port +
        ", Protocol: http}}]}\n");
  };
  const Read unknown = with_mesh_and_port("{Ref: Nowhere}", "8080");
  ASSERT_EQ(unknown.errors.size(), 1u);
  EXPECT_EQ(unknown.errors[0].message, "names Nowhere, which is neither parameter nor resource");
  EXPECT_EQ(unknown.errors[0].path, "/Resources/Edge/Properties/meshName");
  EXPECT_EQ(unknown.errors[0].place.line, 5u);

  const Read port = with_mesh_and_port("shop", "99999");
  ASSERT_EQ(port.errors.size(), 1u);
  EXPECT_EQ(port.errors[0].path, "/Resources/Edge/Properties/spec/listeners/0/portMapping/port");
  EXPECT_EQ(port.errors[0].place.line, 6u);
}

TEST(Template, NamesThatNeedEachOtherAreRefused) {
  const Read read = read_text(R"(
Resources:
  A: {Type: "AWS::AppMesh::Mesh", Properties: {MeshName: {"Fn::GetAtt": "B.MeshName"}}}
  B: {Type: "AWS::AppMesh::Mesh", Properties: {MeshName: {"Fn::GetAtt": "A.MeshName"}}}
)");
  ASSERT_FALSE(read.errors.empty());
  EXPECT_EQ(read.errors[0].message, "B.MeshName must not need itself");
}

TEST(Template, NamesOfNamesOfNamesAreBounded) {
  std::string text = "Resources:\n";
  for (int i = 0; i < 40; ++i) {
    text += "  M" + std::to_string(i) + ": {Type: \"AWS::AppMesh::Mesh\", Properties: {MeshName: ";
    const std::string next = "${M" + std::to_string(i + 1) + ".MeshName}";
    text += (i == 39 ? "\"\"" : "{\"Fn::Sub\": \"" + next + next + "\"}") + "}}\n";
  }
  const Read read = read_text(text);
  bool told = false;
  for (const world::Error& error : read.errors) {
    told |= error.message == "must not need more than 10000 names";
  }
  EXPECT_TRUE(told);
}

TEST(Template, WhatANameStandsForIsBounded) {
  const std::string long_text(100'000, 'x');
  const Read read = read_text("Parameters: {Long: {Type: String, Default: " + long_text +
                              "}}\nResources:\n  Mesh: {Type: \"AWS::AppMesh::Mesh\", "
                              "Properties: {MeshName: {Ref: Long}}}\n");
  ASSERT_FALSE(read.errors.empty());
  EXPECT_EQ(read.errors[0].message, "must not stand for more than 65536 bytes");
}

TEST(Template, WhatIsNotSupportedIsSaid) {
  const Read read = read_text(R"(
Resources:
  Mesh: {Type: "AWS::AppMesh::Mesh", Properties: {MeshName: {"Fn::ImportValue": shop}}}
)");
  ASSERT_FALSE(read.errors.empty());
  EXPECT_EQ(read.errors[0].message, "Fn::ImportValue is not supported here");
}

}  // namespace
}  // namespace ingest
