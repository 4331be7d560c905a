#include "conformance/recorded/replay.h"

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "document/parse.h"

namespace conformance::recorded {
namespace {

/// The ids in known-differences.yaml.
std::set<std::string> known_differences() {
  std::ifstream file(RECORDED_KNOWN);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto parsed = document::parse(text, RECORDED_KNOWN);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().front().text());
  std::set<std::string> ids;
  if (!parsed) return ids;
  for (const document::Value& entry : parsed->root.list()) {
    EXPECT_TRUE(entry.find("id") != nullptr && entry.find("reason") != nullptr);
    if (const document::Value* id = entry.find("id")) ids.insert(id->string());
  }
  return ids;
}

using Counts = std::map<std::string, int>;

/// Replays a file of records. Adds those that differ to `differ`, fails for those not in `known`.
Counts replay_all(const char* path, const std::set<std::string>& known,
                  std::set<std::string>& differ) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  Counts replayed;
  for (std::string line; std::getline(file, line);) {
    const Outcome outcome = replay(nlohmann::json::parse(line));
    if (outcome.verdict == Outcome::Verdict::Unsupported) continue;
    ++replayed[outcome.area];
    if (outcome.verdict == Outcome::Verdict::Agree) continue;
    differ.insert(outcome.id);
    if (known.count(outcome.id) != 0) continue;
    std::string all;
    for (const std::string& one : differences(outcome.expected, outcome.actual)) all += one + "\n";
    ADD_FAILURE() << outcome.id << "\n" << all;
  }
  return replayed;
}

TEST(Recorded, EveryCaseAgreesOrIsListed) {
  const std::set<std::string> known = known_differences();
  std::set<std::string> differ;
  // A replayer that found nothing to replay would agree with everything.
  const Counts expected = {{"path", 26},    {"match", 57},     {"host", 22},    {"rewrite", 21},
                           {"headers", 34}, {"local", 34},     {"grpc", 35},    {"h1conn", 36},
                           {"retry", 32},   {"malformed", 79}, {"timeout", 19}, {"websocket", 25},
                           {"h2", 74}};
  EXPECT_EQ(replay_all(RECORDED_HTTP, known, differ), expected);
  const Counts more = {{"path", 126},    {"match", 80},     {"host", 82},    {"rewrite", 36},
                       {"headers", 158}, {"local", 76},     {"grpc", 90},    {"h1conn", 108},
                       {"retry", 86},    {"malformed", 40}, {"timeout", 63}, {"websocket", 76},
                       {"h2", 372}};
  EXPECT_EQ(replay_all(RECORDED_MORE, known, differ), more);
  const Counts traffic = {{"hc", 102}, {"life", 62}, {"pool", 118}, {"tls", 119}};
  EXPECT_EQ(replay_all(RECORDED_TRAFFIC, known, differ), traffic);
  const Counts more_traffic = {{"life", 149}};
  EXPECT_EQ(replay_all(RECORDED_MORE_TRAFFIC, known, differ), more_traffic);
  EXPECT_EQ(differ, known) << "what agrees must leave the list";
}

TEST(Recorded, AWrongAnswerIsSeen) {
  std::ifstream file(RECORDED_HTTP);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  nlohmann::json record = nlohmann::json::parse(line);
  record["observed"]["client"]["connection"] = "reset";
  const Outcome outcome = replay(record);
  EXPECT_EQ(outcome.verdict, Outcome::Verdict::Differ);
  EXPECT_EQ(differences(outcome.expected, outcome.actual),
            std::vector<std::string>{
                "/client/connection\n  recorded:  \"reset\"\n  simulated: \"open\""});
}

TEST(Recorded, ARecordThatIsNotAsInTheVocabularyIsUnsupported) {
  std::ifstream file(RECORDED_HTTP);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  nlohmann::json record = nlohmann::json::parse(line);
  record["stimulus"]["steps"] = {{{"send", 7}}};
  const Outcome outcome = replay(record);
  EXPECT_EQ(outcome.verdict, Outcome::Verdict::Unsupported);
  EXPECT_EQ(outcome.reason.substr(0, 25), "not as in the vocabulary:");
}

}  // namespace
}  // namespace conformance::recorded
