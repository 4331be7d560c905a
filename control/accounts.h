#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "document/parse.h"
#include "mesh/api/access.h"
#include "world/result.h"

namespace control {

/// What requests of an account are signed with.
struct AccessKey {
  std::string account;
  std::string secret;
  std::optional<std::string> session_token;  ///< Of temporary credentials.
};

/// Who may call, and who shares meshes with whom.
struct Accounts {
  std::map<std::string, AccessKey> keys;  ///< By their ids.
  std::vector<mesh::api::Share> shares;
};

/// Reads `{accounts: [{id, keys: [{id, secret, sessionToken}]}],
/// shares: [{mesh, owner, consumer, gateways}]}`.
///
/// Errors: everything that is wrong, with its place: an account id that is not 12 digits, a key id
/// that is there twice, a share with oneself or with an account that the file does not have.
world::Result<Accounts, world::Errors> read_accounts(const document::Document& document);

}  // namespace control
