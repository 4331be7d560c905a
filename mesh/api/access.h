#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/api/record.h"
#include "mesh/api/refusal.h"

namespace mesh::api {

/// A mesh that its owner shares with another account, its consumer. Source: AM-SHR-01 to -10.
struct Share {
  std::string mesh;
  std::string owner;
  std::string consumer;
  /// Whether the consumer may have gateways and gateway routes in it, which the permissions that
  /// come of themselves with a share do not allow (AM-SHR-05).
  bool gateways = false;
};

/// Who may do what. Source: AM-SHR-01 to -09, DEL-03.
class Access {
 public:
  explicit Access(const std::vector<Share>& shares) : shares_(shares) {}

  /// The share by which the account sees the mesh; null if it does not.
  const Share* share(std::string_view owner, std::string_view mesh, std::string_view account) const;

  // Each says why not, or nothing.

  /// To see what is in a mesh of that owner.
  std::optional<Refusal> see(std::string_view owner, std::string_view mesh,
                             std::string_view account) const;
  /// To create such a resource in a mesh that it sees; `parent` is null where there is none.
  std::optional<Refusal> create(const Record& mesh, Kind kind, const Record* parent,
                                std::string_view account) const;
  std::optional<Refusal> update(const Record& record, std::string_view account) const;
  std::optional<Refusal> remove(const Record& record, std::string_view account) const;
  std::optional<Refusal> tag(const Record& record, std::string_view account) const;

 private:
  const std::vector<Share>& shares_;
};

}  // namespace mesh::api
