#include "conformance/read_api.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "conformance/read_parts.h"
#include "mesh/api/operations.h"
#include "mesh/api/uri.h"
#include "mesh/names.h"

namespace conformance {

using document::Reader;
using mesh::api::Json;
using mesh::api::Operation;

namespace {

/// Members of inputs that go into the query, whatever the operation. Source: AM-API-04 to -07.
constexpr std::array<std::string_view, 4> kOfQuery = {"meshOwner", "limit", "nextToken",
                                                      "resourceArn"};

const Operation* find(std::string_view name) {
  const auto all = mesh::api::operations();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const Operation& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// The path with its names filled in, which leave `input`. Empty: `missing` is not there.
std::string path_of(const Operation& operation, Json& input, std::string& missing) {
  std::string path = "/v20190125";
  std::string_view rest = operation.uri;
  while (!rest.empty()) {
    const std::size_t begin = std::min(rest.find('{'), rest.size());
    path += rest.substr(0, begin);
    rest.remove_prefix(begin);
    if (rest.empty()) break;
    const std::size_t end = rest.find('}');
    const std::string name(rest.substr(1, end - 1));
    rest.remove_prefix(end + 1);
    if (!input.contains(name)) return missing = name, "";
    path += mesh::api::percent_encode(text_of(input[name]));
    input.erase(name);
  }
  return path;
}

std::string query_of(Json& input) {
  std::string query;
  for (const std::string_view name : kOfQuery) {
    const auto found = input.find(name);
    if (found == input.end()) continue;
    query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name,
                         mesh::api::percent_encode(text_of(*found)));
    input.erase(found);
  }
  return query;
}

bool is_pointer(const std::string& text) {
  try {
    return text.starts_with('/') && !Json::json_pointer(text).empty();
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

std::optional<ApiCall> to_call(const std::string& name, Json input, const std::string& mesh,
                               std::string* problem) {
  const auto fail = [problem](std::string why) {
    if (problem != nullptr) *problem = std::move(why);
    return std::nullopt;
  };
  const Operation* const operation = find(name);
  if (operation == nullptr) return fail("is no operation of the API");
  const bool of_a_mesh = operation->uri.find("{meshName}") != std::string_view::npos;
  if (of_a_mesh && !input.contains("meshName")) input["meshName"] = mesh;
  ApiCall call;
  call.operation = name;
  call.method = operation->method;
  std::string missing;
  call.target = path_of(*operation, input, missing);
  if (!missing.empty()) return fail("must have " + missing);
  call.target += query_of(input);
  if (operation->method == "PUT") {
    call.body = input.dump();
  } else if (!input.empty()) {
    return fail(fmt::format("has no {} in its input", input.begin().key()));
  }
  return call;
}

std::string read_account(const document::Reader& at) {
  const auto id = at.as_string();
  if (!id) return {};
  if (mesh::valid_account(*id)) return *id;
  at.fail("must be an account of 12 digits, is " + at.value().describe());
  return {};
}

std::optional<ApiCall> read_call(Reader at, const std::string& mesh) {
  if (!at.expect_object()) return std::nullopt;
  const auto members = at.members();
  if (members.size() != 1) {
    at.fail("must be one operation with its input, as { DeleteMesh: { meshName: shop } }");
    return std::nullopt;
  }
  const auto& [member, value] = members.front();
  const bool none = value.value().is_null();
  if (!none && !value.expect_object()) return std::nullopt;
  Json input = none ? Json::object() : mesh::api::from_value(value.value());
  std::string problem;
  auto call = to_call(member->key, std::move(input), mesh, &problem);
  if (call) return call;
  std::vector<std::string> names;
  for (const Operation& one : mesh::api::operations()) names.emplace_back(one.name);
  const std::string near = find(member->key) ? "" : document::nearest(member->key, names);
  at.fail_key(member->key, near.empty() ? problem : problem + "; did you mean " + near + "?");
  return std::nullopt;
}

ApiExpectation read_api_expectation(Reader at) {
  ApiExpectation out;
  out.place = at.place();
  if (!at.expect_object()) return out;
  if (const auto error = at.optional("error")) out.error = read_text_or_null(*error);
  if (const auto message = at.optional("message")) out.message = read_text(*message);
  if (const auto status = at.optional("status")) out.status = read_number(*status);
  if (const auto unchanged = at.optional("unchanged")) {
    if (unchanged->value().is_bool()) {
      out.unchanged = unchanged->value().boolean();
    } else if (unchanged->as_choice({"mesh"})) {
      out.unchanged = true;
    }
  }
  if (auto answer = at.optional("answer"); answer && answer->expect_object()) {
    for (const auto& [member, value] : answer->members()) {
      if (!is_pointer(member->key)) {
        answer->fail_key(member->key, "must be a JSON pointer into the answer, as /mesh/status");
      }
      out.answer.emplace_back(member->key, read_text_or_null(value));
    }
  }
  at.finish();
  return out;
}

}  // namespace conformance
