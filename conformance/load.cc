#include "conformance/load.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "conformance/read_mesh.h"
#include "conformance/read_scenario.h"
#include "conformance/vary.h"
#include "document/file.h"
#include "document/parse.h"
#include "ingest/ingest.h"
#include "mesh/read.h"

namespace conformance {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMostScenarioBytes = 1 << 20;
constexpr std::uintmax_t kMostMeshBytes = 16 << 20;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

world::Error file_error(const std::string& path, std::string message) {
  return {{}, std::move(message), {.file = path, .line = 0, .column = 0}};
}

/// Reads files that a scenario names; their paths are relative to its folder.
ReadFile beside(const std::string& scenario_path) {
  const fs::path folder = fs::path(scenario_path).parent_path();
  return [folder](const std::string& path) {
    return document::read_file((folder / path).lexically_normal().generic_string(), kMostMeshBytes);
  };
}

std::string digest_of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

void add_new(world::Errors& to, const world::Errors& from) {
  for (const world::Error& error : from) {
    if (std::find(to.begin(), to.end(), error) == to.end()) to.push_back(error);
  }
}

/// Reads every variant of a document. What is wrong in several of them is told once.
void read_variants(LoadedFile& out, const document::Document& document) {
  document::Problems problems;
  const Vary vary = Vary::read(document, problems);
  add_new(out.errors, problems.take());
  const ReadFile read_file = beside(out.file);
  for (std::size_t i = 0; i < vary.count(); ++i) {
    const document::Document filled_in = vary.apply(document, i, problems);
    add_new(out.errors, problems.take());
    auto scenario = read_scenario(filled_in, read_file);
    if (!scenario) {
      add_new(out.errors, scenario.error());
      continue;
    }
    if (!out.errors.empty()) continue;
    scenario->id = out.id + vary.suffix(i);
    scenario->file = out.file;
    scenario->digest = out.digest;
    scenario->variant = vary.values(i);
    out.variants.push_back(std::move(*scenario));
  }
  if (!out.errors.empty()) out.variants.clear();
}

bool is_scenario(const document::Document& document) {
  return document.root.find("scenario") != nullptr;
}

}  // namespace

std::string id_of(std::string_view path) {
  const fs::path whole = fs::path(path).lexically_normal();
  fs::path below;
  bool found = false;
  for (const fs::path& part : whole) {
    if (part == "scenarios") {
      below.clear();
      found = true;
    } else if (found) {
      below /= part;
    }
  }
  if (below.empty()) below = whole.filename();
  std::string id = below.generic_string();
  for (const std::string_view suffix : {".scenario.yaml", ".scenario.json", ".yaml", ".json"}) {
    if (!ends_with(id, suffix) || id.size() == suffix.size()) continue;
    id.resize(id.size() - suffix.size());
    break;
  }
  return id;
}

LoadedFile load_scenario(const std::string& path) {
  LoadedFile out;
  out.file = path;
  out.id = id_of(path);
  const auto text = document::read_file(path, kMostScenarioBytes);
  if (!text) {
    out.errors.push_back(text.error());
    return out;
  }
  out.digest = digest_of(*text);
  const auto document = document::parse(*text, path);
  if (!document) {
    out.errors = document.error();
    return out;
  }
  if (auto id = own_id(*document)) out.id = std::move(*id);
  const document::Value* title = document->root.find("scenario");
  if (title != nullptr && title->is_string()) out.title = title->string();
  read_variants(out, *document);
  return out;
}

world::Result<mesh::Mesh, world::Errors> load_mesh(const std::vector<std::string>& paths) {
  std::vector<document::Document> documents;
  world::Errors errors;
  for (const std::string& path : paths) {
    const auto text = document::read_file(path, kMostMeshBytes);
    if (!text) {
      errors.push_back(text.error());
      continue;
    }
    auto parsed = document::parse_all(*text, path);
    if (!parsed) {
      add_new(errors, parsed.error());
      continue;
    }
    if (parsed->empty()) errors.push_back(file_error(path, "holds nothing"));
    for (document::Document& document : *parsed) documents.push_back(std::move(document));
  }
  if (!errors.empty()) return errors;
  if (documents.size() == 1 && is_scenario(documents.front())) {
    return mesh_of_scenario(documents.front(), beside(documents.front().file));
  }
  document::Problems problems;
  mesh::MeshReader reader;
  for (const document::Document& document : documents) ingest::read(reader, document, problems);
  mesh::Mesh mesh = reader.finish(problems);
  if (!problems.empty()) return problems.take();
  return mesh;
}

}  // namespace conformance
