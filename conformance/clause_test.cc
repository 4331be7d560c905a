#include "conformance/clause.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace conformance {
namespace {

const Clause* find(const std::string& id) {
  const auto& all = clauses();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Clause& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

TEST(Clauses, EachHasAreaWeightAndWhereItIsShown) {
  const Clause* const prefix = find("RW-02");
  ASSERT_NE(prefix, nullptr);
  EXPECT_EQ(prefix->area, "rewrites");
  EXPECT_EQ(prefix->weight, Clause::Weight::Must);
  EXPECT_EQ(prefix->shown, (std::set<std::string>{"sim", "live"}));
  EXPECT_TRUE(prefix->is_core());
  EXPECT_FALSE(find("RT-10")->is_core());
}

TEST(Clauses, NoIdIsThereTwice) {
  std::set<std::string> ids;
  for (const Clause& one : clauses()) EXPECT_TRUE(ids.insert(one.id).second) << one.id;
  EXPECT_EQ(ids.size(), clauses().size());
}

}  // namespace
}  // namespace conformance
