#pragma once

#include <cstdint>
#include <map>

#include "sim/connection.h"
#include "world/passage.h"

namespace sim {

/// A host whose connections go on to others: see world::Passage. A connection is one from end to
/// end, with a link on either side of this host; what it decides is asked for each segment.
class SimPassage final : public world::Passage {
 public:
  SimPassage(Host& host, world::PassageEvents& events);
  ~SimPassage() override;

  void reset(std::uint64_t flow) override;

 private:
  friend class Connection;

  Host& host_;
  world::PassageEvents& events_;
  std::map<std::uint64_t, Connection*> connections_;  // that lead through it, by flow
};

}  // namespace sim
