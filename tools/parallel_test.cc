#include "tools/parallel.h"

#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace tools {
namespace {

class WorkInOrder : public testing::TestWithParam<unsigned> {};

TEST_P(WorkInOrder, HandsOutEachPieceOnceAndInOrder) {
  std::vector<std::size_t> squares(200);
  std::vector<std::size_t> handed_out;
  const std::size_t done =
      work_in_order({.count = squares.size(),
                     .jobs = GetParam(),
                     .work = [&](std::size_t i) { squares[i] = i * i; },
                     .done = [&](std::size_t i) { handed_out.push_back(squares[i]); },
                     .stop = {}});
  EXPECT_EQ(done, 200U);
  EXPECT_EQ(handed_out, squares);
}

TEST_P(WorkInOrder, StopLeavesNoGap) {
  std::atomic<std::size_t> begun = 0;
  std::size_t handed_out = 0;
  const std::size_t done = work_in_order({.count = 1000,
                                          .jobs = GetParam(),
                                          .work = [&](std::size_t) { ++begun; },
                                          .done = [&](std::size_t) { ++handed_out; },
                                          .stop = [&] { return begun >= 10; }});
  EXPECT_GE(done, 10U);
  EXPECT_LT(done, 1000U);
  EXPECT_EQ(done, begun);
  EXPECT_EQ(done, handed_out);
}

TEST_P(WorkInOrder, AnExceptionComesOut) {
  const OrderedWork work{.count = 100,
                         .jobs = GetParam(),
                         .work =
                             [](std::size_t i) {
                               if (i == 50) throw std::runtime_error("fifty");
                             },
                         .done = {},
                         .stop = {}};
  EXPECT_THROW(work_in_order(work), std::runtime_error);
}

TEST_P(WorkInOrder, NoWorkIsDoneAtOnce) {
  EXPECT_EQ(work_in_order({.count = 0, .jobs = GetParam(), .work = {}, .done = {}, .stop = {}}),
            0U);
}

INSTANTIATE_TEST_SUITE_P(Jobs, WorkInOrder, testing::Values(1U, 2U, 8U));

}  // namespace
}  // namespace tools
