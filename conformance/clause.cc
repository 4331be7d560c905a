#include "conformance/clause.h"

#include <stdexcept>
#include <string_view>

#include "document/parse.h"
#include "document/reader.h"

namespace conformance {

/// spec/clauses.yaml, as it was when the program was built.
std::string_view clauses_text();

namespace {

Clause::Weight weight_of(const std::string& word) {
  if (word == "must") return Clause::Weight::Must;
  return word == "default" ? Clause::Weight::Default : Clause::Weight::Observed;
}

Clause clause_of(document::Reader& entry, const std::string& area) {
  Clause out;
  out.area = area;
  out.id = entry.required_string("id", {.min = 1});
  out.says = entry.required_string("says", {.min = 1});
  out.weight = weight_of(entry.required_string("weight", {.min = 1}));
  for (const document::Reader& where : entry.optional_items("shown")) {
    out.shown.insert(where.as_string().value_or(""));
  }
  static_cast<void>(entry.optional_items("from"));
  static_cast<void>(entry.optional_string("era"));
  entry.finish();
  return out;
}

std::vector<Clause> read() {
  const auto parsed = document::parse(clauses_text(), "spec/clauses.yaml");
  if (!parsed) throw std::logic_error(parsed.error().front().text());
  document::Problems problems;
  std::vector<Clause> out;
  document::Reader root(*parsed, problems);
  for (auto& [area, entries] : root.members()) {
    for (document::Reader& entry : entries.as_items()) {
      out.push_back(clause_of(entry, area->key));
    }
  }
  if (!problems.empty()) throw std::logic_error(problems.take().front().text());
  return out;
}

}  // namespace

const std::vector<Clause>& clauses() {
  static const std::vector<Clause> kAll = read();
  return kAll;
}

}  // namespace conformance
