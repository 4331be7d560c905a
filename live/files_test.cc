#include "live/files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/test_peer.h"

namespace live {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/live-files-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string text(const std::string& path) const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TestWorld at;
  std::string folder;
};

TEST_F(Files, AreAppendedToInTheOrderOfTheCalls) {
  const std::string path = folder + "/log";
  std::ofstream(path) << "old\n";
  EXPECT_TRUE(at.world.append(path, ""));
  EXPECT_TRUE(at.world.append(path, "one\n"));
  EXPECT_TRUE(at.world.append(path, "two\n"));
  at.settle();
  EXPECT_EQ(text(path), "old\none\ntwo\n");
}

TEST_F(Files, ThatCannotBeOpenedAreSaidSoAtOnce) {
  EXPECT_FALSE(at.world.append(folder + "/no/such/folder", ""));
  EXPECT_FALSE(at.world.append(folder, ""));
}

TEST_F(Files, OfAReaderWhoDoesNotReadNeverHoldUpTheLoop) {
  const std::string path = folder + "/pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  const std::string line(99, 'x');
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(at.world.append(path, line + '\n'));
  at.settle();

  std::string got(1 << 20, ' ');
  std::size_t read = 0;
  at.until([&] {
    const ssize_t some = ::read(reader, got.data(), got.size());
    if (some > 0) read += static_cast<std::size_t>(some);
    return read > 1'000'000;  // what was kept came as the reader read
  });
  EXPECT_LT(read, 3'000'000U) << "what is kept is bounded";
  ::close(reader);
}

}  // namespace
}  // namespace live
