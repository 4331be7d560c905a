#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "world/world.h"

namespace sim {

/// The names of a simulated world and what they resolve to. A change is seen by the next lookup,
/// unless the name is masked.
class Names {
 public:
  struct Record {
    std::vector<std::uint32_t> addresses;
    world::Duration time_to_live = std::chrono::seconds(60);
    world::Duration delay = std::chrono::milliseconds(1);  ///< Until the answer is there.
    bool failing = false;                                  ///< The server answers with a failure.
    bool rotates = false;                                  ///< Each answer begins with the next.
    std::uint64_t answers = 0;                             ///< So far.
  };

  void set(std::string_view name, Record record);
  void set_address(std::string_view name, std::uint32_t address) {
    set(name, Record{.addresses = {address}});
  }
  void remove(std::string_view name);
  /// Whatever the name stands for, it is answered like this; absent: as if it did not exist.
  void mask(std::string_view name, std::optional<Record> shown);
  void unmask(std::string_view name);
  /// Case does not count and a trailing dot is ignored. nullptr: there is no such name.
  const Record* find(std::string_view name) const;
  /// The addresses as the next answer gives them. Requires: there is such a name.
  std::vector<std::uint32_t> answer(std::string_view name);

 private:
  /// What names are kept by: in lower case and without a trailing dot.
  static std::string key(std::string_view name);

  std::map<std::string, Record> records_;
  std::map<std::string, std::optional<Record>> masks_;
};

}  // namespace sim
