#include "reports/text.h"

#include <chrono>

#include <gtest/gtest.h>

#include "reports/summary.h"

namespace reports {
namespace {

using namespace std::chrono_literals;

TEST(Text, PrintableKeepsWordsOfAnyLanguage) {
  EXPECT_EQ(printable("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
}

TEST(Text, PrintableEscapesWhatMovesTheCursor) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\n\tc"), "a\\x1b[2Jb\\r\\n\\tc");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");                   // C1: one-byte CSI
  EXPECT_EQ(printable("a\xe2\x80\xaetxt"), "a\\xe2\\x80\\xaetxt");  // right-to-left override
}

TEST(Text, PrintableEscapesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                    // cut off
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\xef\xbf\xbf"), "\\xef\\xbf\\xbf");  // U+FFFF is not XML
}

TEST(Text, PrintableBlockKeepsLineEnds) {
  EXPECT_EQ(printable_block("a\n\tb\x07"), "a\n\tb\\x07");
}

TEST(Text, ShortenedCutsBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("aü", 2), "a...");
}

TEST(Text, SecondsAreExactInGroupsOfThreeDigits) {
  EXPECT_EQ(seconds_text(0ns), "0.000s");
  EXPECT_EQ(seconds_text(1050ms), "1.050s");
  EXPECT_EQ(seconds_text(250us), "0.000250s");
  EXPECT_EQ(seconds_text(1ns), "0.000000001s");
  EXPECT_EQ(seconds_text(-1500ms), "-1.500s");
  EXPECT_EQ(seconds_text(36'000s), "36000.000s");
  EXPECT_EQ(seconds_text(4ms, 6), "0.004000s");
}

TEST(SplitId, FoldersThenName) {
  const SplitId split = split_id("routing/prefix/3");
  EXPECT_EQ(split.folders, (std::vector<std::string>{"routing", "prefix"}));
  EXPECT_EQ(split.name, "3");
}

TEST(SplitId, LeavesTheValuesOfAVariantAlone) {
  const SplitId split = split_id("routing/prefix[path=/a/b]");
  EXPECT_EQ(split.folders, (std::vector<std::string>{"routing"}));
  EXPECT_EQ(split.name, "prefix[path=/a/b]");
  EXPECT_EQ(area_of("alone[path=/a]"), "scenarios");
}

TEST(Counts, TextLeavesOutWhatIsNone) {
  EXPECT_EQ(counts_text({.passed = 12, .failed = 1, .errors = 1, .skipped = 2}),
            "12 passed, 1 failed, 1 error, 2 skipped");
  EXPECT_EQ(counts_text({.passed = 3}), "3 passed");
  EXPECT_EQ(counts_text({}), "nothing ran");
}

}  // namespace
}  // namespace reports
