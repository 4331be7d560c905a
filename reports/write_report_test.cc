#include "reports/write_report.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/results_json.h"
#include "reports/sample_report.h"

namespace reports {
namespace {

namespace fs = std::filesystem;

class WriteReport : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "write_report_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string content(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

TEST_F(WriteReport, MakesTheFolderAndThreeFilesAndNothingElse) {
  const auto report = report_of({passed_run()});
  const auto written = write_report(folder_ / "a" / "b", report);
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(content(written->results_json), results_json(report));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_ / "a" / "b")) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("results.json", "junit.xml", "summary.md"));
}

TEST_F(WriteReport, ReplacesAnEarlierReport) {
  ASSERT_TRUE(write_report(folder_, report_of({passed_run(), failed_run()})));
  const auto second = report_of({passed_run()});
  ASSERT_TRUE(write_report(folder_, second));
  EXPECT_EQ(content(folder_ / "results.json"), results_json(second));
}

TEST_F(WriteReport, SaysWhichFolderCannotBeMade) {
  std::ofstream(folder_ / "file") << "in the way";
  const auto written = write_report(folder_ / "file" / "report", report_of({}));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().text(), testing::HasSubstr("file/report: cannot make the folder"));
}

TEST_F(WriteReport, SaysWhichFileCannotBeWrittenAndLeavesNoDraft) {
  fs::create_directories(folder_ / "results.json" / "in the way");
  const auto written = write_report(folder_, report_of({}));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().text(), testing::HasSubstr("results.json: cannot write: "));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace reports
