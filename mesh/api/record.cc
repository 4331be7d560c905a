#include "mesh/api/record.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace mesh::api {
namespace {

void add_names(const Record& record, Json& json) {
  json["meshName"] = record.mesh;
  if (const auto parent = parent_of(record.kind)) json[words_of(*parent).name] = record.parent;
  json[words_of(record.kind).name] = record.name;
}

Json metadata(const Record& record) {
  const auto seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1000; };
  return {{"arn", record.arn},
          {"createdAt", seconds(record.created_ms)},
          {"lastUpdatedAt", seconds(record.updated_ms)},
          {"meshOwner", record.mesh_owner},
          {"resourceOwner", record.resource_owner},
          {"version", record.version}};
}

std::optional<Kind> kind_of(std::string_view word) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const KindWords& words) { return words.word == word; });
  return found == kKinds.end() ? std::nullopt : std::optional(found->kind);
}

}  // namespace

Key Record::key() const {
  return {collection_of(kind, mesh_owner, mesh, parent), name};
}

std::string collection_of(Kind kind, std::string_view mesh_owner, std::string_view mesh,
                          std::string_view parent) {
  std::string collection = fmt::format("{}/{}", words_of(kind).plural, mesh_owner);
  if (kind != Kind::Mesh) collection += fmt::format("/{}", mesh);
  if (parent_of(kind)) collection += fmt::format("/{}", parent);
  return collection;
}

std::string to_text(const Record& record) {
  Json tokens = Json::array();
  for (const UsedToken& used : record.tokens) tokens.push_back({used.token, used.asked});
  Json needs = Json::array();
  for (const Key& key : record.needs) needs.push_back({key.collection, key.name});
  return Json({{"kind", words_of(record.kind).word},
               {"meshOwner", record.mesh_owner},
               {"mesh", record.mesh},
               {"parent", record.parent},
               {"name", record.name},
               {"resourceOwner", record.resource_owner},
               {"arn", record.arn},
               {"uid", record.uid},
               {"createdMs", record.created_ms},
               {"updatedMs", record.updated_ms},
               {"version", record.version},
               {"spec", record.spec},
               {"tags", record.tags},
               {"tokens", std::move(tokens)},
               {"needs", std::move(needs)}})
      .dump();
}

world::Result<Record> record_from_text(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Record record;
    const auto kind = kind_of(json.at("kind").get<std::string>());
    if (!kind) return world::Error{"/kind", "must be a kind of resource"};
    record.kind = *kind;
    record.mesh_owner = json.at("meshOwner");
    record.mesh = json.at("mesh");
    record.parent = json.at("parent");
    record.name = json.at("name");
    record.resource_owner = json.at("resourceOwner");
    record.arn = json.at("arn");
    record.uid = json.at("uid");
    record.created_ms = json.at("createdMs");
    record.updated_ms = json.at("updatedMs");
    record.version = json.at("version");
    record.spec = json.at("spec");
    record.tags = json.at("tags").get<std::map<std::string, std::string>>();
    for (const Json& used : json.at("tokens")) record.tokens.push_back({used.at(0), used.at(1)});
    for (const Json& key : json.at("needs")) record.needs.push_back({key.at(0), key.at(1)});
    return record;
  } catch (const Json::exception& error) {
    return world::Error{"", std::string("must be a resource's record: ") + error.what()};
  }
}

Json shown(const Record& record, std::string_view status) {
  Json json = {
      {"metadata", metadata(record)}, {"spec", record.spec}, {"status", {{"status", status}}}};
  json["metadata"]["uid"] = record.uid;
  add_names(record, json);
  return json;
}

Json reference(const Record& record) {
  Json json = metadata(record);
  add_names(record, json);
  return json;
}

}  // namespace mesh::api
