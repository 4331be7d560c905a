#include "control/accounts.h"

#include <set>

#include <fmt/format.h>

#include "document/reader.h"
#include "mesh/names.h"

namespace control {
namespace {

using document::Reader;

std::string read_account_id(Reader& at, std::string_view key) {
  const std::string id = at.required_string(key);
  if (!id.empty() && !mesh::valid_account(id)) {
    at.fail(key, fmt::format("must be 12 digits, is \"{}\"", id));
  }
  return id;
}

void read_key(Reader at, const std::string& account, Accounts& accounts) {
  if (!at.expect_object()) return;
  const std::string id = at.required_string("id", {1, 128});
  AccessKey key;
  key.account = account;
  key.secret = at.required_string("secret", {1, 4096});
  key.session_token = at.optional_string("sessionToken", {1, 16384});
  at.finish();
  if (!id.empty() && !accounts.keys.emplace(id, std::move(key)).second) {
    at.fail("id", fmt::format("must be another than {}, which is taken", id));
  }
}

void read_share(Reader at, const std::set<std::string>& known, Accounts& accounts) {
  if (!at.expect_object()) return;
  mesh::api::Share share;
  share.mesh = at.required_string("mesh", {1, 255});
  share.owner = read_account_id(at, "owner");
  share.consumer = read_account_id(at, "consumer");
  share.gateways = at.optional_bool("gateways").value_or(false);
  at.finish();
  for (const auto& [member, id] : {std::pair("owner", share.owner), {"consumer", share.consumer}}) {
    if (id.empty() || known.contains(id)) continue;
    at.fail(member, fmt::format("must be one of the accounts, is {}", id));
  }
  if (share.owner == share.consumer) at.fail("consumer", "must be another account than the owner");
  accounts.shares.push_back(std::move(share));
}

}  // namespace

world::Result<Accounts, world::Errors> read_accounts(const document::Document& document) {
  document::Problems problems;
  Accounts accounts;
  Reader at(document, problems);
  if (at.expect_object()) {
    std::set<std::string> known;
    for (Reader& account : at.required_items("accounts", {1})) {
      if (!account.expect_object()) continue;
      const std::string id = read_account_id(account, "id");
      if (!id.empty() && !known.insert(id).second) {
        account.fail("id", fmt::format("must be another than {}, which is taken", id));
      }
      for (const Reader& key : account.required_items("keys", {1})) read_key(key, id, accounts);
      account.finish();
    }
    for (const Reader& share : at.optional_items("shares")) read_share(share, known, accounts);
    at.finish();
  }
  if (!problems.empty()) return problems.take();
  return accounts;
}

}  // namespace control
