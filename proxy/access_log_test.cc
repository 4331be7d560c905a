#include "proxy/access_log.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace proxy {
namespace {

template <class... Flags>
std::string text_of(Flags... flags) {
  return flags_text(static_cast<std::uint16_t>((static_cast<unsigned>(flags) | ... | 0U)));
}

TEST(FlagsText, NoneIsADash) {
  EXPECT_EQ(text_of(), "-");
}

// Source: Envoy 1.40 with max_retries 0; ENV-POOL-32.
TEST(FlagsText, WhyThereIsNoFurtherTryComesBeforeWhatBecameOfTheLast) {
  for (const auto last : {ResponseFlag::UpstreamFailure, ResponseFlag::UpstreamClosed,
                          ResponseFlag::UpstreamTimeout, ResponseFlag::UpstreamReset}) {
    EXPECT_EQ(text_of(last, ResponseFlag::UpstreamOverflow), "UO," + text_of(last));
    EXPECT_EQ(text_of(last, ResponseFlag::RetryLimit), "URX," + text_of(last));
  }
}

}  // namespace
}  // namespace proxy
