#include <charconv>
#include <cstddef>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "mesh/api/call.h"
#include "mesh/spec.h"

namespace mesh::api {
namespace {

constexpr std::size_t kLongestPage = 100;
/// The model's for tags, whose prose says 100. Source: AM-API-06.
constexpr std::size_t kLongestPageOfTags = 50;
constexpr std::size_t kTagsPerResource = 50;  // AM-QUO-09

/// Where a page begins, and how long it may be.
struct Page {
  std::string after;  ///< Empty: at the first.
  std::size_t limit = 0;
};

/// A token is the hexadecimal form of the last name, so that any name passes through a query.
std::string to_token(std::string_view name) {
  std::string token;
  for (const char c : name) token += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return token;
}

std::optional<std::string> from_token(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); i += 2) {
    unsigned value = 0;
    const std::string_view digits = token.substr(i, 2);
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() != 2 || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    name += static_cast<char>(value);
  }
  return name;
}

Answer<Page> page_of(const Call& call, std::size_t longest) {
  Page page{"", longest};
  if (const auto limit = call.query.find("limit"); limit != call.query.end()) {
    const char* end = limit->second.data() + limit->second.size();
    const auto parsed = std::from_chars(limit->second.data(), end, page.limit);
    if (parsed.ec != std::errc() || parsed.ptr != end || page.limit < 1 || page.limit > longest) {
      return Refusal{ErrorCode::BadRequest,
                     fmt::format("limit must be between 1 and {}, is {}", longest, limit->second)};
    }
  }
  if (const auto token = call.query.find("nextToken"); token != call.query.end()) {
    auto after = from_token(token->second);
    if (!after) return Refusal{ErrorCode::BadRequest, "nextToken must be one that a list gave"};
    page.after = *std::move(after);
  }
  return page;
}

/// The caller's own meshes come first, then those shared with it, by owner and name. A place in
/// this order is written "OWNER/NAME". Source: API-06.
std::vector<const Record*> list_meshes(const Call& call, const Page& page) {
  const std::string account(call.request.account);
  const std::size_t slash = page.after.find('/');
  const std::string owner = page.after.substr(0, slash);
  const std::string name = slash == std::string::npos ? "" : page.after.substr(slash + 1);
  std::vector<const Record*> meshes;
  if (owner.empty() || owner == account) {
    meshes = call.store.list(collection_of(Kind::Mesh, account, ""), name, page.limit + 1);
  }
  std::set<std::pair<std::string, std::string>> shared;
  for (const Share& share : call.options.shares) {
    if (share.consumer == account) shared.emplace(share.owner, share.mesh);
  }
  for (const auto& [of, mesh] : shared) {
    if (meshes.size() > page.limit) break;
    if (!owner.empty() && owner != account && std::pair(of, mesh) <= std::pair(owner, name)) {
      continue;
    }
    if (const Record* found = call.store.find({collection_of(Kind::Mesh, of, ""), mesh})) {
      meshes.push_back(found);
    }
  }
  return meshes;
}

std::string place_of(const Record& record) {
  return record.kind == Kind::Mesh ? record.mesh_owner + "/" + record.name : record.name;
}

/// The resource that the query names by its ARN, whose tags the caller may see.
Answer<const Record*> find_tagged(const Call& call) {
  const auto arn = call.query.find("resourceArn");
  if (arn == call.query.end()) return Refusal{ErrorCode::BadRequest, "resourceArn is required"};
  const std::vector<const Record*> found = call.store.with_arn(arn->second);
  if (found.empty()) {
    return Refusal{ErrorCode::NotFound, fmt::format("{} does not exist", arn->second)};
  }
  // In the owner's own mesh before one that it shares.
  const Record* record = found.front();
  for (const Record* each : found) {
    if (each->mesh_owner == each->resource_owner) record = each;
  }
  if (auto refusal = call.access().tag(*record, call.request.account)) return *std::move(refusal);
  return record;
}

/// The one list in the body of a tag or untag, read by `read`.
template <class Read>
auto read_list(const Call& call, std::string_view member, Read read)
    -> Answer<decltype(read(std::declval<const document::Reader&>()))> {
  if (auto refusal = check_members(call, {member}, {member})) return *std::move(refusal);
  const document::Document document = to_document(call.body);
  document::Problems problems;
  auto values = read(*document::Reader(document, problems).required(member));
  if (!problems.empty()) return bad_request(problems.take());
  return values;
}

}  // namespace

Answer<Json> describe(const Call& call) {
  const auto found = find_resource(call);
  if (!found) return found.error();
  return shown(**found, "ACTIVE");
}

Answer<Json> list(const Call& call) {
  const auto page = page_of(call, kLongestPage);
  if (!page) return page.error();
  std::vector<const Record*> records;
  if (call.kind() == Kind::Mesh) {
    records = list_meshes(call, *page);
  } else {
    const auto mesh = find_mesh(call);
    if (!mesh) return mesh.error();
    if (const auto parent = find_parent(call, **mesh); !parent) return parent.error();
    const std::string collection =
        collection_of(call.kind(), (*mesh)->mesh_owner, (*mesh)->mesh, call.names.parent);
    records = call.store.list(collection, page->after, page->limit + 1);
  }
  // One more than the page shows that there is another page.
  Json answer;
  if (records.size() > page->limit) {
    records.resize(page->limit);
    answer["nextToken"] = to_token(place_of(*records.back()));
  }
  Json& entries = answer[words_of(call.kind()).plural] = Json::array();
  for (const Record* record : records) entries.push_back(reference(*record));
  return answer;
}

Answer<Json> tag(const Call& call) {
  const auto tags = read_list(call, "tags", read_tags);
  if (!tags) return tags.error();
  const auto found = find_tagged(call);
  if (!found) return found.error();
  Record record = **found;
  for (const auto& [key, value] : *tags) record.tags[key] = value;
  if (record.tags.size() > kTagsPerResource) {
    return Refusal{ErrorCode::TooManyTags,
                   fmt::format("{} would have {} tags, and may have {}", record.arn,
                               record.tags.size(), kTagsPerResource)};
  }
  call.store.put(record);
  return Json::object();
}

Answer<Json> untag(const Call& call) {
  const auto keys = read_list(call, "tagKeys", [](const document::Reader& at) {
    std::vector<std::string> read;
    for (const document::Reader& key : at.as_items({0, 50})) {
      read.push_back(key.as_string({1, 128}).value_or(""));
    }
    return read;
  });
  if (!keys) return keys.error();
  const auto found = find_tagged(call);
  if (!found) return found.error();
  Record record = **found;
  for (const std::string& key : *keys) record.tags.erase(key);
  call.store.put(record);
  return Json::object();
}

Answer<Json> list_tags(const Call& call) {
  const auto page = page_of(call, kLongestPageOfTags);
  if (!page) return page.error();
  const auto found = find_tagged(call);
  if (!found) return found.error();
  const auto& tags = (*found)->tags;
  Json entries = Json::array();
  auto each = tags.upper_bound(page->after);
  for (; each != tags.end() && entries.size() < page->limit; ++each) {
    entries.push_back({{"key", each->first}, {"value", each->second}});
  }
  Json answer;
  if (each != tags.end()) answer["nextToken"] = to_token(std::prev(each)->first);
  answer["tags"] = std::move(entries);
  return answer;
}

}  // namespace mesh::api
