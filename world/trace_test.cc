#include "world/trace.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace world {
namespace {

TraceEvent event(std::int64_t at = 5, std::string_view text = "text") {
  return {TimePoint(Duration(at)), TraceKind::Data, 1, 2, 3, 4, text};
}

TraceHash hash_of(const std::vector<TraceEvent>& events) {
  Trace trace;
  for (const TraceEvent& each : events) trace.record(each);
  return trace.hash();
}

std::string letters(std::size_t bytes, char first = 'a') {
  std::string text(bytes, first);
  for (std::size_t i = 0; i < bytes; ++i)
    text[i] = static_cast<char>(static_cast<std::size_t>(first) + i % 23);
  return text;
}

TEST(Trace, HasTheSameHashForTheSameEvents) {
  EXPECT_EQ(hash_of({event(1), event(2)}), hash_of({event(1), event(2)}));
  EXPECT_EQ(Trace().hash(), Trace().hash());
}

TEST(Trace, HasAnotherHashWhenAnyFieldDiffers) {
  std::set<std::string> hashes{hash_of({event()}).text(), Trace().hash().text()};
  const std::vector<std::function<void(TraceEvent&)>> changes{
      [](TraceEvent& e) { e.at += Duration(1); },
      [](TraceEvent& e) { e.kind = TraceKind::End; },
      [](TraceEvent& e) { ++e.who; },
      [](TraceEvent& e) { ++e.flow; },
      [](TraceEvent& e) { ++e.a; },
      [](TraceEvent& e) { ++e.b; },
      [](TraceEvent& e) { e.text = "texT"; },
      [](TraceEvent& e) { e.text = "tex"; },
      [](TraceEvent& e) { e.text = ""; },
  };
  for (const auto& change : changes) {
    TraceEvent changed = event();
    change(changed);
    hashes.insert(hash_of({changed}).text());
  }
  EXPECT_EQ(hashes.size(), changes.size() + 2);
}

TEST(Trace, HasAnotherHashWhenTheOrderDiffers) {
  EXPECT_NE(hash_of({event(1, "a"), event(1, "b")}), hash_of({event(1, "b"), event(1, "a")}));
}

TEST(Trace, HasAnotherHashWhenTextMovesFromOneEventToTheNext) {
  EXPECT_NE(hash_of({event(1, "ab"), event(1, "c")}), hash_of({event(1, "a"), event(1, "bc")}));
}

TEST(Trace, HashesTextsOfEveryLengthToTheirLastByte) {
  for (const std::size_t bytes : {1UL, 255UL, 256UL, 257UL, 1460UL, 5000UL, 100'000UL}) {
    const std::string text = letters(bytes);
    std::string last_differs = text;
    ++last_differs.back();
    EXPECT_EQ(hash_of({event(1, text)}), hash_of({event(1, text)}));
    EXPECT_NE(hash_of({event(1, text)}), hash_of({event(1, last_differs)})) << bytes;
  }
}

TEST(Trace, RemembersTheFirstOfManyEvents) {
  std::vector<TraceEvent> events(1000, event());
  const TraceHash one = hash_of(events);
  events.front().at += Duration(1);
  EXPECT_NE(hash_of(events), one);
}

/// A changed number here is a changed trace format: every recorded hash becomes void.
TEST(Trace, HasTheHashThatEveryCompilerMustGive) {
  Trace trace;
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::string text = letters(static_cast<std::size_t>(i * i % 400), 'A');
    trace.record({TimePoint(Duration(i * 1'000'003)), static_cast<TraceKind>(i % 20),
                  static_cast<HostId>(i % 7), static_cast<std::uint64_t>(i * i),
                  static_cast<std::uint64_t>(i), ~static_cast<std::uint64_t>(i), text});
  }
  EXPECT_EQ(trace.events(), 100U);
  EXPECT_EQ(trace.hash().text(), "122307b75d33a1c553d314b4c5dcb5b5");
}

TEST(Trace, AskingForTheHashChangesNothing) {
  Trace asked;
  Trace left_alone;
  for (std::int64_t i = 0; i < 200; ++i) {
    asked.record(event(i));
    left_alone.record(event(i));
    EXPECT_EQ(asked.hash(), asked.hash());
  }
  EXPECT_EQ(asked.hash(), left_alone.hash());
}

TEST(Trace, HandsEveryEventToItsSinks) {
  struct Keep final : TraceSink {
    void on_event(const TraceEvent& seen) override { texts += seen.text; }
    std::string texts;
  } first, second;
  Trace trace;
  trace.add_sink(first);
  trace.record(event(1, "a"));
  trace.add_sink(second);
  trace.record(event(2, "b"));
  trace.remove_sink(first);
  trace.record(event(3, "c"));
  EXPECT_EQ(first.texts, "ab");
  EXPECT_EQ(second.texts, "bc");
}

TEST(Trace, ASinkDoesNotChangeTheHash) {
  struct Deaf final : TraceSink {
    void on_event(const TraceEvent&) override {}
  } sink;
  Trace watched;
  watched.add_sink(sink);
  watched.record(event());
  EXPECT_EQ(watched.hash(), hash_of({event()}));
}

TEST(Trace, CountsEventsThatItDoesNotHash) {
  Trace trace;
  trace.set_hashing(false);
  trace.record(event());
  EXPECT_EQ(trace.events(), 1U);
  EXPECT_EQ(trace.hash(), Trace().hash());
}

TEST(Trace, EveryKindHasItsOwnName) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(TraceKind::Note); ++kind) {
    names.insert(name_of(static_cast<TraceKind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(TraceKind::Note) + 1);
  EXPECT_EQ(names.count("?"), 0U);
}

}  // namespace
}  // namespace world
