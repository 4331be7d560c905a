#pragma once

#include <string>

#include <gtest/gtest.h>

#include "conformance/read_scenario.h"
#include "document/parse.h"

namespace conformance {

/// A gateway on port 9080 with one route to books.shop.local, and what is put behind it.
inline std::string with_edge(const std::string& rest) {
  return R"(scenario: A test
mesh:
  - virtualGateway: edge
    spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }
  - gatewayRoute: chapters
    virtualGateway: edge
    spec:
      httpRoute:
        match: { prefix: /chapter }
        action: { target: { virtualService: { virtualServiceName: books.shop.local } } }
)" + rest;
}

/// No file is there.
inline world::Result<std::string> no_files(const std::string& path) {
  return world::Error{{}, "there is no " + path, {}};
}

inline world::Result<Scenario, world::Errors> try_read(const std::string& text) {
  const auto document = document::parse(text, "t.yaml");
  if (!document) return document.error();
  return read_scenario(*document, no_files);
}

inline Scenario must_read(const std::string& text) {
  auto scenario = try_read(text);
  if (scenario) return std::move(*scenario);
  std::string all;
  for (const world::Error& error : scenario.error()) all += error.text() + "\n";
  ADD_FAILURE() << all;
  return {};
}

/// All errors, a line each, without the file's name.
inline std::string errors_in(const std::string& text) {
  const auto scenario = try_read(text);
  if (scenario) return "none";
  std::string all;
  for (const world::Error& error : scenario.error()) {
    all += error.text().substr(error.text().find(':') + 1) + "\n";
  }
  return all;
}

}  // namespace conformance
