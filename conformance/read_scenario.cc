#include "conformance/read_scenario.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "conformance/impossible.h"
#include "conformance/names.h"
#include "conformance/protos.h"
#include "conformance/read_expect.h"
#include "conformance/read_mesh.h"
#include "conformance/read_parts.h"
#include "conformance/read_steps.h"
#include "conformance/read_world.h"
#include "conformance/unasked_names.h"

namespace conformance {

using document::Problems;
using document::Reader;
using document::Value;

namespace {

/// Whether a step says that the mesh is refused. Looked for before the mesh is judged.
bool expects_refusal(const Value& root) {
  const Value* steps = root.find("steps");
  if (steps == nullptr || !steps->is_list()) return false;
  for (const Value& step : steps->list()) {
    const Value* expect = step.find("expect");
    if (expect != nullptr && expect->find("refused") != nullptr) return true;
  }
  return false;
}

/// Whether a step calls the API: then resources are wanted as they are written.
bool calls_the_api(const Value& root) {
  const Value* const steps = root.find("steps");
  return steps != nullptr && steps->is_list() &&
         std::any_of(steps->list().begin(), steps->list().end(),
                     [](const Value& step) { return step.find("call") != nullptr; });
}

bool is_clause(std::string_view text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == text.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    const bool upper = (c >= 'A' && c <= 'Z') || c == '-' || digit;
    if (i > dash ? !digit : !upper) return false;
  }
  return true;
}

void read_head(Scenario& scenario, Reader& root) {
  scenario.title = root.required_string("scenario", {1, 300});
  for (const Reader& item : root.optional_items("clauses")) {
    const auto text = item.as_string({1});
    if (!text) continue;
    if (!is_clause(*text)) item.fail("must be a clause's id such as RT-01, is \"" + *text + "\"");
    scenario.clauses.push_back(*text);
  }
  if (const auto id = root.optional("id")) {
    const auto text = id->as_string({1, 200});
    if (text && !own_id({.file = {}, .root = root.value()})) {
      id->fail("must be names with / between them, is \"" + *text + "\"");
    }
  }
  if (const auto seed = root.optional_integer("seed", 0)) {
    scenario.seed = static_cast<std::uint64_t>(*seed);
  }
  root.ignore("$schema");
}

std::optional<mesh::Era> read_era(Reader& root) {
  const auto at = root.optional("era");
  if (!at) return std::nullopt;
  const auto choice = at->as_choice({"seed-a", "seed-b", "last"});
  if (!choice) return std::nullopt;
  constexpr mesh::Era kEras[] = {mesh::Era::SeedA, mesh::Era::SeedB, mesh::Era::Last};
  return kEras[*choice];
}

/// `account: old`: its first mesh was made before July 29, 2020.
bool read_account(Reader& root) {
  const auto at = root.optional("account");
  if (!at) return false;
  const auto choice = at->as_choice({"new", "old"});
  return choice && *choice == 1;
}

void read_limits(Scenario& scenario, Reader at) {
  if (!at.expect_object()) return;
  if (const auto time = read_optional_duration(at, "time")) scenario.limits.time = *time;
  if (const auto events = at.optional_integer("events", 1)) {
    scenario.limits.events = static_cast<std::uint64_t>(*events);
  }
  if (const auto instant = at.optional_integer("instant", 1)) {
    scenario.limits.instant = static_cast<std::uint64_t>(*instant);
  }
  at.finish();
}

/// `protos: [books.proto]`; what is wrong in one is told with its own line.
void read_protos(Scenario& scenario, Reader& root, const ReadFile& read_file, Problems& problems) {
  const auto at = root.optional("protos");
  if (!at) return;
  std::vector<std::string> paths;
  for (const Reader& item : at->as_items({1})) {
    if (auto path = item.as_string({1})) paths.push_back(std::move(*path));
  }
  auto protos = Protos::load(paths, read_file);
  if (protos) {
    scenario.protos = std::move(protos).value();
    return;
  }
  for (const world::Error& error : protos.error()) {
    problems.add(at->pointer(), error.message, error.place);
  }
}

/// A scenario whose mesh must be refused: that one step, and nothing to run.
void read_refusal(Scenario& scenario, Reader& root) {
  const auto steps = root.optional("steps");
  const auto items = steps->as_items();
  if (items.size() != 1) {
    steps->fail("must be one step: nothing runs where a mesh is refused");
    return;
  }
  Reader step = items.front();
  const auto expect = step.required("expect");
  step.finish();
  if (expect) scenario.refused = read_refused(*expect);
}

}  // namespace

std::optional<std::string> own_id(const document::Document& document) {
  const Value* id = document.root.find("id");
  if (id == nullptr || !id->is_string()) return std::nullopt;
  std::string_view rest = id->string();
  while (true) {
    const std::size_t slash = rest.find('/');
    if (!is_name(rest.substr(0, slash))) return std::nullopt;
    if (slash == std::string_view::npos) return id->string();
    rest.remove_prefix(slash + 1);
  }
}

world::Result<mesh::Mesh, world::Errors> mesh_of_scenario(const document::Document& document,
                                                          const ReadFile& read_file) {
  Problems problems;
  Reader root(document, problems);
  const auto era = read_era(root);
  const bool old_account = read_account(root);
  mesh::Mesh mesh = read_mesh(document, era, read_file, problems, problems);
  mesh.old_account = old_account;
  if (!problems.empty()) return problems.take();
  return mesh;
}

world::Result<Scenario, world::Errors> read_scenario(const document::Document& document,
                                                     const ReadFile& read_file) {
  Problems problems;
  Reader root(document, problems);
  if (!root.expect_object()) return problems.take();

  Scenario scenario;
  read_head(scenario, root);
  const auto era = read_era(root);
  const bool old_account = read_account(root);
  for (const std::string_view key : {"explore", "faults", "targets"}) {
    refuse_unsupported(root, key);
  }
  root.ignore("vary");
  read_protos(scenario, root, read_file, problems);
  if (const auto limits = root.optional("limits")) read_limits(scenario, *limits);

  root.ignore("mesh");
  Problems mesh_problems;
  const std::size_t before = problems.size();
  scenario.mesh = read_mesh(document, era, read_file, problems, mesh_problems,
                            calls_the_api(document.root) ? &scenario.resources : nullptr);
  scenario.mesh.old_account = old_account;
  scenario.era = era.value_or(scenario.mesh.era);
  const bool refusal = expects_refusal(document.root);
  bool sound = mesh_problems.empty() && problems.size() == before;
  if (refusal) {
    scenario.mesh_errors = mesh_problems.take();
    read_refusal(scenario, root);
  } else {
    for (world::Error& error : mesh_problems.take()) {
      problems.add(std::move(error.path), std::move(error.message), std::move(error.place));
    }
    complete_mesh(scenario.mesh);
    if (sound) {
      const std::size_t supported = problems.size();
      refuse_unsupported(scenario.mesh, problems);
      sound = problems.size() == supported;
    }
  }
  const auto world = root.optional("world");
  const auto steps = root.required("steps");
  const auto always = root.optional_items("always", {1});
  if (!refusal) {
    scenario.world = read_world(world, scenario.mesh, sound, scenario.protos, problems);
    const Names names(scenario.mesh, scenario.world, sound);
    if (steps) {
      scenario.steps = read_steps(*steps, scenario.world, scenario.mesh, names, scenario.protos);
    }
    for (const Reader& line : always) {
      if (auto invariant = read_invariant(line, names)) {
        scenario.always.push_back(std::move(*invariant));
      }
    }
  }
  root.finish();
  if (!refusal && problems.empty()) {
    refuse_impossible(scenario, problems);
    refuse_unasked_names(scenario, problems);
  }
  if (!problems.empty()) return problems.take();
  return scenario;
}

}  // namespace conformance
