#include "document/reader.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace document {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The errors that reading the text in that way gives.
std::vector<std::string> errors_of(const std::string& text,
                                   const std::function<void(Reader&)>& read) {
  const auto parsed = parse(text, "f.yaml");
  EXPECT_TRUE(parsed) << text;
  Problems problems;
  Reader reader(*parsed, problems);
  read(reader);
  std::vector<std::string> out;
  for (const world::Error& error : problems.take()) out.push_back(error.text());
  return out;
}

TEST(Reader, ReadsWhatIsAskedFor) {
  const auto errors =
      errors_of("{name: x, port: 80, on: true, list: [1, 2], rate: 2.5}", [](Reader& r) {
        EXPECT_EQ(r.required_string("name"), "x");
        EXPECT_EQ(r.required_integer("port", 1, 65535), 80);
        EXPECT_EQ(r.optional_bool("on"), true);
        EXPECT_EQ(r.required_items("list", {1, 2}).size(), 2u);
        EXPECT_EQ(r.optional_number("rate"), 2.5);
        EXPECT_EQ(r.optional_string("absent"), std::nullopt);
        r.finish();
      });
  EXPECT_THAT(errors, IsEmpty());
}

TEST(Reader, SaysWhatMustBeAndWhatIs) {
  const auto errors = errors_of(
      "name: 1.3\nport: 0\nflag: yes\nlist: {}\nempty: ''\nkind: tpc\nnothing: ~\nhalf: 1.5\n",
      [](Reader& r) {
        r.required_string("name");
        r.required_integer("port", 1, 65535);
        r.required_bool("flag");
        r.required_items("list");
        r.required_string("empty", {1, 10});
        r.required("kind")->as_choice({"http", "tcp"});
        r.required_string("nothing");
        r.required_integer("half");
        r.required_string("absent");
        r.finish();
      });
  EXPECT_THAT(errors,
              ElementsAre("f.yaml:1:1: /absent: is required",
                          "f.yaml:1:7: /name: must be a string, is 1.3 (put it in quotes)",
                          "f.yaml:2:7: /port: must be between 1 and 65535, is 0",
                          "f.yaml:3:7: /flag: must be true or false, is the string \"yes\"",
                          "f.yaml:4:7: /list: must be a list, is an object",
                          "f.yaml:5:8: /empty: must not be empty",
                          "f.yaml:6:7: /kind: must be one of http, tcp, is the string \"tpc\"",
                          "f.yaml:7:10: /nothing: must be a string, is null",
                          "f.yaml:8:7: /half: must be an integer, is 1.5"));
}

TEST(Reader, UnknownKeysAreErrorsWithTheNearestKnownName) {
  const auto errors = errors_of("{prot: 1, zzz: 2, porT: 3, 'a/b~c': 4}", [](Reader& r) {
    r.optional_integer("port");
    r.optional_integer("protocol");
    r.finish();
  });
  EXPECT_THAT(errors, ElementsAre("f.yaml:1:2: /prot: is not known here; did you mean port?",
                                  "f.yaml:1:11: /zzz: is not known here",
                                  "f.yaml:1:19: /porT: is not known here; did you mean port?",
                                  "f.yaml:1:28: /a~1b~0c: is not known here"));
}

TEST(Reader, ExactlyOneOfSeveralMembers) {
  const auto read = [](Reader& r) { r.one_of({"exact", "regex"}); };
  EXPECT_THAT(errors_of("{exact: 1}", read), IsEmpty());
  EXPECT_THAT(errors_of("{}", read),
              ElementsAre("f.yaml:1:1: must have exactly one of exact, regex, has none"));
  EXPECT_THAT(errors_of("{exact: 1, regex: 2}", read),
              ElementsAre("f.yaml:1:1: must have exactly one of exact, regex, has exact, regex"));
}

TEST(Reader, SizesCountCharacters) {
  const auto read = [](Reader& r) { r.as_string({1, 3}); };
  EXPECT_THAT(errors_of("ééé", read), IsEmpty());
  EXPECT_THAT(errors_of("éééé", read),
              ElementsAre("f.yaml:1:1: must be 1 to 3 characters long, is 4"));
  EXPECT_THAT(errors_of("[1, 2, 3]",
                        [](Reader& r) {
                          r.as_items({1, 2});
                        }),
              ElementsAre("f.yaml:1:1: must have 1 to 2 entries, has 3"));
}

TEST(Nearest, FindsSmallSlipsOnly) {
  const std::vector<std::string> names = {"virtualGateway", "virtualNode", "spec"};
  EXPECT_EQ(nearest("virtualgateway", names), "virtualGateway");
  EXPECT_EQ(nearest("vritualNode", names), "virtualNode");
  EXPECT_EQ(nearest("sepc", names), "spec");
  EXPECT_EQ(nearest("listeners", names), "");
}

}  // namespace
}  // namespace document
