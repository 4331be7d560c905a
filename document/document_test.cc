#include "document/parse.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace document {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The errors of a text, one string each; empty if it parses.
std::vector<std::string> errors_of(const std::string& text, const Limits& limits = {}) {
  std::vector<std::string> out;
  const auto parsed = parse(text, "f.yaml", limits);
  if (parsed) return out;
  for (const world::Error& error : parsed.error()) out.push_back(error.text());
  return out;
}

std::string repeat(const std::string& piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

TEST(Document, KeepsOrderAndThePlaceOfEveryKeyAndValue) {
  const auto parsed = parse("b: 1\na:\n  - x\n  - {é: y, k: z}\n", "f.yaml");
  ASSERT_TRUE(parsed);
  const Value::Object& root = parsed->root.object();
  ASSERT_EQ(root.size(), 2u);
  EXPECT_EQ(root[0].key, "b");
  EXPECT_EQ(root[1].key_at, (Mark{2, 1}));
  const Value& second = root[1].value.list()[1];
  EXPECT_EQ(second.at(), (Mark{4, 5}));
  // Columns count characters, not bytes.
  EXPECT_EQ(second.object()[1].key_at, (Mark{4, 12}));
  EXPECT_EQ(second.object()[1].value.at(), (Mark{4, 15}));
}

TEST(Document, TypesPlainScalarsAsTheCoreSchemaDoes) {
  const struct {
    const char* text;
    const char* described;
  } cases[] = {
      {"5", "5"},
      {"-5", "-5"},
      {"+7", "7"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"2.5", "2.5"},
      {"1.0", "1.0"},
      {"1e3", "1000.0"},
      {".5", "0.5"},
      {"true", "true"},
      {"FALSE", "false"},
      {"~", "null"},
      {"null", "null"},
      {"yes", "the string \"yes\""},
      {"on", "the string \"on\""},
      {"No", "the string \"No\""},
      {"\"5\"", "the string \"5\""},
      {"'true'", "the string \"true\""},
      {"012345678901", "the string \"012345678901\""},
      {"1:30", "the string \"1:30\""},
      {"1_000", "the string \"1_000\""},
      {"2022-04-06", "the string \"2022-04-06\""},
      {".inf", "the string \".inf\""},
      {"0x", "the string \"0x\""},
      {"!!str 5", "the string \"5\""},
      {"!!float 5", "5.0"},
      {"|\n  a\n  b\n", "the string \"a\nb\n\""},
  };
  for (const auto& c : cases) {
    const auto parsed = parse(std::string("v: ") + c.text, "f.yaml");
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->root.find("v")->describe(), c.described) << c.text;
  }
}

TEST(Document, JsonIsYaml) {
  const auto parsed = parse(
      "{\n\t\"a\":1,\"b\":\"\\/ \\u00e9 \\ud83d\\ude00\\n\",\n\t\"c\":[true,null]}", "f.json");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->root.find("b")->string(), "/ \u00e9 \U0001F600\n");
  EXPECT_EQ(parsed->root.find("c")->list()[0].boolean(), true);
  EXPECT_EQ(parsed->root.find_member("c")->key_at, (Mark{3, 2}));
}

TEST(Document, AliasesAreExpanded) {
  const auto parsed = parse("a: &x {p: [1, 2]}\nb: *x\n", "f.yaml");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->root.find("b")->find("p")->list()[1].integer(), 2);
}

TEST(Document, AValueThatIsNotWrittenStandsAtItsKey) {
  const auto parsed = parse("a:\nb: 1\n", "f.yaml");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->root.find("a")->is_null());
  EXPECT_EQ(parsed->root.find("a")->at(), (Mark{1, 1}));
}

TEST(Document, BadTextIsAnErrorWithItsPlace) {
  const struct {
    std::string text;
    const char* error;
  } cases[] = {
      {"a: [1\nb: 2\n", "f.yaml:2:2: end of sequence flow not found"},
      {"[1, 2", "f.yaml:1:1: end of sequence flow not found"},
      {"a: 1\n\tb: 2\n", "f.yaml:2:1: illegal tab when looking for indentation"},
      {"a: \"x", "f.yaml:1:6: illegal EOF in scalar"},
      {"a: \"\\q\"", "f.yaml:1:7: unknown escape character: q"},
      {"a: 1\na: 2", "f.yaml:2:1: key \"a\" was already given at line 1, column 1"},
      {"a: {b: 1}}", "f.yaml:1:10: illegal flow end"},
      {", a", "f.yaml:1:1: is no valid YAML here"},
      {"a: 1\n---\n,\n", "f.yaml:3:1: is no valid YAML here"},
      {"a: &x [1, *x]", "f.yaml:1:11: must not be an alias of what it is part of"},
      {"a: 9223372036854775808", "f.yaml:1:4: is a number beyond 64 bits; quote it if it is text"},
      {"a: 1e999", "f.yaml:1:4: is a number beyond what a double can hold; quote it if it is text"},
      {"a: !foo 3", "f.yaml:1:4: has a tag that is not supported: !foo"},
      {"a: !!int x", "f.yaml:1:4: must be of the type of its tag !!int, is \"x\""},
      {"? [a]\n: 1", "f.yaml:1:3: a key must be text, is a list"},
      {"~: 1", "f.yaml:1:1: a key must be text; quote it"},
      {"<<: 1", "f.yaml:1:1: merge keys (<<) are not supported; repeat the members"},
      {std::string("a\0b", 3), "f.yaml:1:2: must be text, has a NUL byte here"},
      {"a: 1\nb: \x1b", "f.yaml:2:4: must be text, has control character 0x1b here"},
      {"a: \xff", "f.yaml:1:4: must be UTF-8, is byte 0xff here"},
      {"a: \xc0\x80", "f.yaml:1:4: must be UTF-8, is byte 0xc0 here"},
      {"a: \xed\xa0\x80", "f.yaml:1:4: must be UTF-8, is byte 0xed here"},
      {"", "f.yaml:1:1: must hold a document, is empty"},
      {"# nothing\n", "f.yaml:1:1: must hold a document, is empty"},
      {"a: 1\n---\nb: 1\n", "f.yaml:3:1: must hold one document, has 2"},
  };
  for (const auto& c : cases) EXPECT_THAT(errors_of(c.text), ElementsAre(c.error)) << c.text;
}

TEST(Document, AllErrorsThatDoNotEndTheParseComeAtOnceInOrder) {
  EXPECT_THAT(
      errors_of("a: 1e999\nb: {x: 1, x: 2}\na: 3\n"),
      ElementsAre(HasSubstr("f.yaml:1:4:"), HasSubstr("f.yaml:2:11:"), HasSubstr("f.yaml:3:1:")));
}

TEST(Document, SeveralDocumentsAreReadByParseAll) {
  const auto parsed = parse_all("---\na: 1\n---\n- b\n", "f.yaml");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 2u);
  EXPECT_TRUE((*parsed)[1].root.is_list());
  EXPECT_TRUE(parse_all("", "f.yaml")->empty());
}

TEST(Document, NestingIsLimited) {
  EXPECT_TRUE(parse(repeat("[", 100) + repeat("]", 100), "f"));
  const char* error = "f.yaml:1:101: must not be nested deeper than 100 levels";
  EXPECT_THAT(errors_of(repeat("[", 101) + repeat("]", 101)), ElementsAre(error));
  for (const char* piece : {"[", "{a: ", "- ", "? ", "a: [", "[\n"}) {
    const auto errors = errors_of(repeat(piece, 100'000));
    ASSERT_EQ(errors.size(), 1u) << piece;
  }
  // Neither do aliases get round it.
  EXPECT_THAT(errors_of("a: &a " + repeat("[", 60) + repeat("]", 60) + "\nb: " + repeat("[", 60) +
                        "*a" + repeat("]", 60)),
              ElementsAre(HasSubstr("must not be nested deeper than 100 levels")));
}

TEST(Document, AliasBombsAreLimited) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(before + ", ", 9) +
            before + "]\n";
  }
  EXPECT_THAT(errors_of(bomb),
              ElementsAre(HasSubstr("must not have more than 1000000 values, aliases expanded")));
  const std::string fat = "a: &a " + repeat("x", 1000) + "\nb: [" + repeat("*a, ", 100) + "]\n";
  EXPECT_THAT(errors_of(fat, {.string_bytes = 50'000}),
              ElementsAre(HasSubstr("must not have more than 50000 bytes of strings")));
}

TEST(Document, SizeIsLimitedAndTheErrorSaysTheLimit) {
  const std::string text = "a: " + repeat("x", 97);
  EXPECT_TRUE(errors_of(text, {.text_bytes = 100}).empty());
  EXPECT_THAT(errors_of(text + "x", {.text_bytes = 100}),
              ElementsAre("f.yaml: must not be larger than 100 bytes, is 101"));
  EXPECT_THAT(errors_of("[" + repeat("{}, ", 3000) + "]", {.nodes = 100}),
              ElementsAre("f.yaml: must not have more than 100 values in one list"));
}

TEST(Document, AnyTextEitherParsesOrIsAnError) {
  const std::string good =
      "a: &x [1, 'two', \"three\\n\"]\nb: {c: *x, ? d : e}\nf: |\n  text\ng: >-\n  more\n--- "
      "!!map\n";
  // Every prefix, and every single byte replaced by a sign of the syntax.
  for (std::size_t i = 0; i <= good.size(); ++i) (void)parse_all(good.substr(0, i), "f");
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : std::string("[]{},:-?&*!|>'\"%@`#\n\t \\x0")) {
      std::string bad = good;
      bad[i] = c;
      (void)parse_all(bad, "f");
    }
  }
}

}  // namespace
}  // namespace document
