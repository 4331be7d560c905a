#include "conformance/vary.h"

#include <gtest/gtest.h>

#include "conformance/read_parts.h"

namespace conformance {
namespace {

/// Parses a text, puts a variant in, and shows what stands at `out` then.
class VaryTest : public testing::Test {
 protected:
  void read(const std::string& text) {
    document_ = *document::parse(text, "t.yaml");
    vary_ = Vary::read(document_, problems_);
  }
  std::string out(std::size_t variant) {
    return written_text(*vary_.apply(document_, variant, problems_).root.find("out"));
  }
  std::string problem() {
    const world::Errors errors = problems_.take();
    return errors.empty() ? "none" : errors.front().text();
  }

  document::Document document_;
  document::Problems problems_;
  Vary vary_;
};

TEST_F(VaryTest, EveryCombinationIsOneVariantTheLastNameFastest) {
  read("vary: { a: [1, 2], b: [x, y, z] }\nout: $a $b\n");
  ASSERT_EQ(vary_.count(), 6U);
  EXPECT_EQ(out(0), "1 x");
  EXPECT_EQ(out(1), "1 y");
  EXPECT_EQ(out(3), "2 x");
  EXPECT_EQ(vary_.suffix(5), "[a=2,b=z]");
  EXPECT_EQ(vary_.values(5), (std::map<std::string, std::string>{{"a", "2"}, {"b", "z"}}));
}

TEST_F(VaryTest, AStringThatIsNothingElseBecomesTheValueItself) {
  read("vary: { port: [9080, {a: [1]}] }\nout: { at: [$port, \"${port}\"] }\n");
  EXPECT_EQ(out(1), "{at: [{a: [1]}, {a: [1]}]}");
  const auto filled_in = vary_.apply(document_, 0, problems_);
  const document::Value& first = filled_in.root.find("out")->find("at")->list()[0];
  EXPECT_TRUE(first.is_integer());
  EXPECT_EQ(first.at(), (document::Mark{2, 13}));  // where it is used
}

TEST_F(VaryTest, NamesMayStandInKeysAndBesideLetters) {
  read("vary: { n: [5] }\nout: { \"$n\": \"http://edge:${n}0/$n?x=$nn\" }\n");
  EXPECT_EQ(out(0), "{5: http://edge:50/5?x=$nn}");
  EXPECT_EQ(problem(), "none");
}

TEST_F(VaryTest, WithoutVaryDollarsAreDollars) {
  read("out: ${x} $y\n");
  EXPECT_EQ(vary_.count(), 1U);
  EXPECT_EQ(vary_.suffix(0), "");
  EXPECT_EQ(out(0), "${x} $y");
}

TEST_F(VaryTest, IdsStayOnOneLineAndApart) {
  read("vary: { a: [\"x\\ny\", 1, \"1\", {}, \"\"] }\nout: $a\n");
  EXPECT_EQ(vary_.suffix(0), "[a=x\\x0ay]");
  EXPECT_EQ(vary_.suffix(1), "[a=1]");
  EXPECT_EQ(vary_.suffix(2), "[a=1#3]");
  EXPECT_EQ(vary_.suffix(3), "[a=#4]");
  EXPECT_EQ(vary_.suffix(4), "[a=]");
}

TEST_F(VaryTest, WrongNamesAreErrors) {
  read("vary: { a: [1] }\nout: x\n");
  out(0);
  EXPECT_EQ(problem(),
            "t.yaml:1:9: /vary/a: is used nowhere: write $a where its value should stand");
  read("vary: { a: [1] }\nout: ${b} $a\n");
  out(0);
  EXPECT_EQ(problem(), "t.yaml:2:6: /out: ${b} is no name of vary");
  read("vary: { a: [{}] }\nout: x $a\n");
  out(0);
  EXPECT_EQ(problem(),
            "t.yaml:2:6: /out: $a must be a string, number or boolean within a text, is an object");
  read("vary: { 7a: [1] }\nout: x\n");
  EXPECT_EQ(problem(),
            "t.yaml:1:9: /vary/7a: must be letters, digits and _, not beginning with a digit");
}

TEST_F(VaryTest, TooManyCombinationsAreRefusedBeforeTheyAreMade) {
  std::string list = "[0";
  for (int i = 1; i < 200; ++i) list += "," + std::to_string(i);
  read("vary: { a: " + list + "], b: " + list + "], c: " + list + "] }\nout: $a$b$c\n");
  EXPECT_EQ(problem(), "t.yaml:1:7: /vary: has more than 10000 combinations");
}

}  // namespace
}  // namespace conformance
