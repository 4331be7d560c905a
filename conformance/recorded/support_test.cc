#include "conformance/recorded/support.h"

#include <gtest/gtest.h>

namespace conformance::recorded {
namespace {

using nlohmann::json;

json record() {
  const json listeners = {{{"portMapping", {{"port", 80}, {"protocol", "http"}}}}};
  return {{"config",
           {{"virtualGateway", {{"spec", {{"listeners", listeners}}}}},
            {"virtualNodes", {{{"spec", {{"listeners", listeners}}}}}}}},
          {"upstream_script", json::object()},
          {"stimulus", {{"proto", "h1"}, {"steps", {{{"recv", 1}}}}}}};
}

TEST(Support, SaysWhatIsMissing) {
  EXPECT_EQ(unsupported(record()), "");
  const struct {
    const char* pointer;
    json value;
    const char* reason;
  } cases[] = {
      {"/stimulus/proto", "h3", "a client of protocol h3"},
      {"/upstream_script/u1/proto", "h3", "an upstream of protocol h3"},
      {"/upstream_script/*/default/then", "explode", "then: explode"},
      {"/upstream_script/*/script/0/tunnel/0/wait", 1, "the tunnel step {\"wait\":1}"},
      {"/config/x-sim/codec", "HTTP2", "the setting codec"},
      {"/stimulus/steps/0", json{{"ping", "00"}}, "the step {\"ping\":\"00\"}"},
  };
  for (const auto& each : cases) {
    json changed = record();
    changed[json::json_pointer(each.pointer)] = each.value;
    EXPECT_EQ(unsupported(changed), each.reason) << each.pointer;
  }
}

}  // namespace
}  // namespace conformance::recorded
