#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/parse.h"
#include "mesh/read.h"

/// What the tests of this folder share.
namespace mesh {

inline world::Result<Mesh, world::Errors> load_text(const std::string& text,
                                                    const ReadOptions& options = {}) {
  auto documents = document::parse_all(text, "m.yaml");
  if (!documents) return documents.error();
  return load(*documents, options);
}

/// The mesh of a text without errors.
inline Mesh good(const std::string& text, const ReadOptions& options = {}) {
  auto mesh = load_text(text, options);
  if (!mesh) {
    for (const world::Error& error : mesh.error()) ADD_FAILURE() << error.text();
    return {};
  }
  return std::move(mesh).value();
}

/// "/pointer: message" of each error; empty if there are none.
inline std::vector<std::string> errors_of(const std::string& text,
                                          const ReadOptions& options = {}) {
  std::vector<std::string> out;
  const auto mesh = load_text(text, options);
  if (mesh) return out;
  for (const world::Error& error : mesh.error()) out.push_back(error.path + ": " + error.message);
  return out;
}

inline ReadOptions in_era(Era era) {
  ReadOptions options;
  options.era = era;
  return options;
}

/// A gateway with one http listener at 9080; `more` goes into the listener.
inline std::string gateway(const std::string& more = "", const std::string& protocol = "http") {
  return "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: 9080, protocol: " +
         protocol + "}" + (more.empty() ? "" : ", " + more) + "}]}\n";
}

/// A gateway route of that gateway with this http match, and `more` in its action.
inline std::string http_route(const std::string& match, const std::string& more = "") {
  return "- gatewayRoute: r\n  virtualGateway: edge\n  spec: {httpRoute: {match: " + match +
         ", action: {target: {virtualService: {virtualServiceName: s}}" +
         (more.empty() ? "" : ", " + more) + "}}}\n";
}

/// A virtual router, a node and a route with this body.
inline std::string routed(const std::string& spec) {
  return "- virtualNode: n\n- virtualRouter: v\n- route: r\n  virtualRouter: v\n  spec: " + spec +
         "\n";
}

}  // namespace mesh
