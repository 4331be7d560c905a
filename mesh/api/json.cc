#include "mesh/api/json.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace mesh::api {
namespace {

constexpr int kDeepest = 100;

struct TooDeep {};

void drop_null_members(Json& json) {
  if (json.is_object()) {
    for (auto member = json.begin(); member != json.end();) {
      member = member->is_null() ? json.erase(member) : std::next(member);
    }
  }
  if (json.is_structured()) {
    for (Json& child : json) drop_null_members(child);
  }
}

document::Value to_value(const Json& json) {
  using document::Value;
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value(json.get<bool>(), {});
    case Json::value_t::number_integer:
      return Value(json.get<std::int64_t>(), {});
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}) {
        return Value(json.get<std::int64_t>(), {});
      }
      return Value(json.get<double>(), {});
    case Json::value_t::number_float:
      return Value(json.get<double>(), {});
    case Json::value_t::string:
      return Value(json.get<std::string>(), {});
    case Json::value_t::array: {
      Value::List list;
      for (const Json& entry : json) list.push_back(to_value(entry));
      return Value(std::move(list), {});
    }
    case Json::value_t::object: {
      Value::Object object;
      for (const auto& [key, value] : json.items()) object.push_back({key, {}, to_value(value)});
      return Value(std::move(object), {});
    }
    default:
      return Value();
  }
}

}  // namespace

Answer<Json> parse_body(std::string_view text) {
  if (text.empty()) return Json::object();
  const auto check_depth = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw TooDeep();
    return true;
  };
  try {
    Json body = Json::parse(text, check_depth);
    if (!body.is_object()) return Refusal{ErrorCode::BadRequest, "body must be a JSON object"};
    drop_null_members(body);
    return body;
  } catch (const TooDeep&) {
    return Refusal{ErrorCode::BadRequest, "body must not be nested more than 100 deep"};
  } catch (const Json::exception& error) {
    return Refusal{ErrorCode::BadRequest, std::string("body must be JSON: ") + error.what()};
  }
}

document::Document to_document(const Json& json) {
  return {"", to_value(json)};
}

Json from_value(const document::Value& value) {
  using Kind = document::Value::Kind;
  switch (value.kind()) {
    case Kind::Null:
      return nullptr;
    case Kind::Bool:
      return value.boolean();
    case Kind::Integer:
      return value.integer();
    case Kind::Number:
      return value.number();
    case Kind::String:
      return value.string();
    case Kind::List: {
      Json list = Json::array();
      for (const document::Value& item : value.list()) list.push_back(from_value(item));
      return list;
    }
    case Kind::Object:
      break;
  }
  Json object = Json::object();
  for (const document::Member& member : value.object()) {
    object[member.key] = from_value(member.value);
  }
  return object;
}

}  // namespace mesh::api
