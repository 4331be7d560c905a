#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/matcher.h"
#include "mesh/api/api.h"
#include "mesh/api/json.h"
#include "mesh/model.h"

/// Calls of the App Mesh API in scenarios.
namespace conformance {

/// The account whose mesh it is, unless a call says otherwise.
inline constexpr std::string_view kOwnerAccount = "123456789012";

/// One resource of the mesh as it was written.
struct WrittenResource {
  mesh::Kind kind = mesh::Kind::Mesh;
  std::string name;
  std::string parent;  ///< Empty: none, or the only one there is.
  mesh::api::Json spec;
};

/// `call: { DeleteVirtualGateway: { virtualGatewayName: edge } }`.
struct ApiCall {
  std::string operation;
  /// As HTTP has it.
  std::string method;
  std::string target;
  std::string body;
  std::string account;  ///< `as`.
};

/// What must come of a call.
struct ApiExpectation {
  std::optional<TextExpectation> error;  ///< Its type; absent: there is none.
  std::optional<TextExpectation> message;
  std::optional<NumberExpectation> status;
  /// By JSON pointer into the answer.
  std::vector<std::pair<std::string, TextExpectation>> answer;
  std::optional<bool> unchanged;  ///< Whether the call has left everything as it was.
  world::Place place;
};

}  // namespace conformance
