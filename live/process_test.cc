#include "live/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace live {
namespace {

using ::testing::HasSubstr;

class ProcessTest : public ::testing::Test {
 protected:
  ~ProcessTest() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "process-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }
  std::string output() const {
    std::ifstream file(folder_ / "output");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Process::Command shell(const std::string& script) const {
    return {"/bin/sh", {"-c", script}, folder_ / "output"};
  }
  /// Its end, which must come.
  static std::string end_of(Process& process) {
    while (process.running()) ::usleep(1000);
    return process.ending();
  }

  std::filesystem::path folder_ = make_folder();
};

TEST_F(ProcessTest, WhatItPrintsAndHowItEndsIsKnown) {
  const auto process = Process::start(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(process);
  EXPECT_EQ(end_of(**process), "exit status 3");
  EXPECT_EQ(output(), "out\nerr\n");
}

TEST_F(ProcessTest, OneThatIsKilledSaysSo) {
  const auto process = Process::start(shell("kill -9 $$"));
  ASSERT_TRUE(process);
  EXPECT_EQ(end_of(**process), "signal 9");
}

TEST_F(ProcessTest, WhatCannotBeExecutedIsAnError) {
  const auto process = Process::start({folder_ / "nothing", {}, folder_ / "output"});
  ASSERT_FALSE(process);
  EXPECT_THAT(process.error().message, HasSubstr("nothing: No such file or directory"));
}

TEST_F(ProcessTest, ItHasNoneOfOurDescriptors) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const auto process = Process::start(shell("ls /proc/self/fd | wc -l"));
  ASSERT_TRUE(process);
  EXPECT_EQ(end_of(**process), "exit status 0");
  EXPECT_EQ(std::stoi(output()), 4);  // its three and the folder's
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(ProcessTest, ItEndsWithWhoeverHoldsIt) {
  auto process = Process::start(shell("echo $$; exec sleep 1000"));
  ASSERT_TRUE(process);
  while (output().empty()) ::usleep(1000);
  const pid_t id = std::stoi(output());
  process->reset();
  EXPECT_EQ(::kill(id, 0), -1);
}

}  // namespace
}  // namespace live
