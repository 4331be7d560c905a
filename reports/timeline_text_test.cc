#include "reports/timeline_text.h"

#include <gtest/gtest.h>

namespace reports {
namespace {

using conformance::TimelineEntry;
using namespace std::chrono_literals;

TimelineEntry entry(world::Duration at, std::string who, std::string what, std::string request = "",
                    TimelineEntry::Kind kind = TimelineEntry::Kind::Event) {
  return {world::TimePoint(at), std::move(who), std::move(what), std::move(request), kind};
}

TEST(TimelineText, ColumnsStandBelowEachOtherAndChangesAreMarked) {
  EXPECT_EQ(timeline_text({entry(900ms, "edge-1", "data #1", "one/1"),
                           entry(10s, "gateway/edge-1", "pendingRequests 0 -> 1", "",
                                 TimelineEntry::Kind::Change),
                           entry(10s, "world", "BROKEN x", "", TimelineEntry::Kind::Breach)},
                          "  "),
            "   0.900s   edge-1          one/1  data #1\n"
            "  10.000s ~ gateway/edge-1         pendingRequests 0 -> 1\n"
            "  10.000s ! world                  BROKEN x\n");
}

TEST(TimelineText, ThereIsNoColumnForRequestsWhereThereAreNone) {
  EXPECT_EQ(timeline_text({entry(1s, "edge-1", "listens")}, ""), "1.000s   edge-1  listens\n");
  EXPECT_EQ(timeline_text({}, "  "), "");
}

TEST(TimelineText, ALongNameDoesNotPushTheOthersAway) {
  const std::string text =
      timeline_text({entry(1s, std::string(60, 'x'), "a"), entry(1s, "edge-1", "b")}, "");
  EXPECT_NE(text.find("1.000s   edge-1  b\n"), std::string::npos) << text;
}

TEST(TimelineText, NothingOfAPeerMovesTheCursor) {
  EXPECT_EQ(timeline_text({entry(1s, "edge-1", "data \x1b[2J", "a\nb")}, ""),
            "1.000s   edge-1  a\\nb  data \\x1b[2J\n");
}

TEST(StateText, HasALineForEachThing) {
  EXPECT_EQ(
      state_text({entry(0s, "gateway/edge-1", "running"), entry(2s, "gateway/edge-1", "overflow 3"),
                  entry(1s, "endpoint/a-1", "healthy for gateway/edge-1")},
                 " "),
      " endpoint/a-1    healthy for gateway/edge-1 (since 1.000s)\n"
      " gateway/edge-1  running, overflow 3 (since 2.000s)\n");
}

}  // namespace
}  // namespace reports
