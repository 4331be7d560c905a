#include "tools/known_differences.h"

#include <fstream>
#include <iterator>

#include "document/parse.h"
#include "document/reader.h"

namespace tools {

world::Result<KnownDifferences, world::Errors> read_known_differences(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return world::Errors{{{}, "cannot be read", {.file = path}}};
  // An empty list may be written as a file of comments.
  auto documents = document::parse_all(text, path);
  if (!documents) return documents.error();

  KnownDifferences known;
  document::Problems problems;
  for (const document::Document& document : *documents) {
    if (document.root.is_null()) continue;
    for (document::Reader& item : document::Reader(document, problems).as_items()) {
      if (!item.expect_object()) continue;
      std::string id = item.required_string("id", {.min = 1});
      std::string reason = item.required_string("reason", {.min = 1});
      item.finish();
      if (!known.emplace(std::move(id), std::move(reason)).second)
        item.fail("id", "is listed twice");
    }
  }
  if (!problems.empty()) return problems.take();
  return known;
}

}  // namespace tools
