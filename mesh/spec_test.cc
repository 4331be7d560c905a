#include <functional>

#include <gmock/gmock.h>

#include "mesh/test_mesh.h"

namespace mesh {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A case that must load, or give exactly one error that contains the text.
struct Case {
  std::string text;
  std::string error;  ///< Empty: loads.
};

void expect_cases(const std::vector<Case>& cases, const ReadOptions& options = {}) {
  for (const Case& c : cases) {
    if (c.error.empty()) {
      EXPECT_THAT(errors_of(c.text, options), IsEmpty()) << c.text;
    } else {
      EXPECT_THAT(errors_of(c.text, options), ElementsAre(HasSubstr(c.error))) << c.text;
    }
  }
}

std::string health_check(const std::string& member, const std::string& value,
                         const std::string& protocol = "http") {
  const std::pair<std::string, std::string> members[] = {{"protocol", protocol},
                                                         {"healthyThreshold", "2"},
                                                         {"unhealthyThreshold", "2"},
                                                         {"intervalMillis", "5000"},
                                                         {"timeoutMillis", "2000"}};
  std::string out = "healthCheck: {";
  bool given = false;
  for (const auto& [key, usual] : members) {
    const bool changed = key == member;
    given = given || changed;
    if (!changed || !value.empty()) out += key + ": " + (changed ? value : usual) + ", ";
  }
  if (!given) out += member + ": " + value;
  return out + "}";
}

std::string file_tls(const std::string& more = "") {
  return "tls: {mode: STRICT, certificate: {file: {certificateChain: c, privateKey: k}}" + more +
         "}";
}

std::string client_tls(const std::string& tls) {
  return "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: 1, protocol: http}}], "
         "backendDefaults: {clientPolicy: {tls: " +
         tls + "}}}\n";
}

std::string logging(const std::string& file) {
  return "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: 1, protocol: http}}], "
         "logging: {accessLog: " +
         file + "}}\n";
}

std::string node_listener(const std::string& more, const std::string& protocol = "http") {
  return "- virtualNode: n\n  spec: {listeners: [{portMapping: {port: 80, protocol: " + protocol +
         "}, " + more + "}]}\n";
}

/// Loads with a value at each end of a range, and refuses the values beside them.
void expect_range(std::int64_t min, std::int64_t max,
                  const std::function<std::string(const std::string&)>& make) {
  const auto text = [&](std::int64_t value) { return make(std::to_string(value)); };
  EXPECT_THAT(errors_of(text(min)), IsEmpty()) << text(min);
  EXPECT_THAT(errors_of(text(max)), IsEmpty()) << text(max);
  for (const std::int64_t outside : {min - 1, max + 1}) {
    const std::string must = "must be between " + std::to_string(min) + " and " +
                             std::to_string(max) + ", is " + std::to_string(outside);
    EXPECT_THAT(errors_of(text(outside)), ElementsAre(HasSubstr(must))) << text(outside);
  }
  for (const char* wrong : {"1.5", "\"5\"", "~", "[]", "{}", "true", "5.0"}) {
    EXPECT_THAT(errors_of(make(wrong)), ElementsAre(HasSubstr("must be an integer, is ")))
        << make(wrong);
  }
}

/// The same for the length of a string.
void expect_length(std::size_t min, std::size_t max,
                   const std::function<std::string(const std::string&)>& make, char fill = 'a') {
  const auto text = [&](std::size_t length) {
    std::string value(length, fill);
    return make("\"" + value + "\"");
  };
  EXPECT_THAT(errors_of(text(min)), IsEmpty()) << min;
  EXPECT_THAT(errors_of(text(max)), IsEmpty()) << max;
  if (min > 0) {
    EXPECT_THAT(errors_of(text(min - 1)), ElementsAre(HasSubstr("must not be empty")));
  }
  const std::string must = "must be " + std::to_string(min) + " to " + std::to_string(max) +
                           " characters long, is " + std::to_string(max + 1);
  EXPECT_THAT(errors_of(text(max + 1)), ElementsAre(HasSubstr(must)));
  for (const char* wrong : {"1", "~", "[]", "{}", "true"}) {
    EXPECT_THAT(errors_of(make(wrong)), ElementsAre(HasSubstr("must be a string, is ")))
        << make(wrong);
  }
}

/// The same for the number of entries of a list.
void expect_count(std::size_t min, std::size_t max, const std::string& entry,
                  const std::function<std::string(const std::string&)>& make) {
  const auto text = [&](std::size_t count) {
    std::string list = "[";
    for (std::size_t i = 0; i < count; ++i) list += entry + ", ";
    return make(list + "]");
  };
  EXPECT_THAT(errors_of(text(min)), IsEmpty()) << text(min);
  EXPECT_THAT(errors_of(text(max)), IsEmpty()) << text(max);
  EXPECT_THAT(errors_of(text(min - 1)), ElementsAre(HasSubstr("must have"))) << text(min - 1);
  EXPECT_THAT(errors_of(text(max + 1)), ElementsAre(HasSubstr("must have"))) << text(max + 1);
  EXPECT_THAT(errors_of(make("{}")), ElementsAre(HasSubstr("must be a list, is an object")));
}

std::string port_listener(const std::string& port) {
  return "- virtualGateway: edge\n  spec: {listeners: [{portMapping: {port: " + port +
         ", protocol: http}}]}\n";
}

std::string pool(const std::string& text) {
  return gateway("connectionPool: " + text);
}

// ---- Bounds: AM-SHP-* ---------------------------------------------------------------------

TEST(Spec, IntegersHoldTheirBounds) {
  constexpr std::int64_t kMax = 2147483647;
  expect_range(1, 65535, port_listener);
  for (const char* key : {"healthyThreshold", "unhealthyThreshold"}) {
    expect_range(2, 10, [&](const auto& v) { return gateway(health_check(key, v)); });
    expect_range(2, 10, [&](const auto& v) { return node_listener(health_check(key, v)); });
  }
  expect_range(5000, 300'000,
               [](const auto& v) { return gateway(health_check("intervalMillis", v)); });
  expect_range(2000, 60'000,
               [](const auto& v) { return gateway(health_check("timeoutMillis", v)); });
  expect_range(1, kMax, [](const auto& v) { return pool("{http: {maxConnections: " + v + "}}"); });
  expect_range(1, kMax, [](const auto& v) {
    return pool("{http: {maxConnections: 1, maxPendingRequests: " + v + "}}");
  });
  expect_range(1, kMax, [](const auto& v) {
    return gateway("connectionPool: {http2: {maxRequests: " + v + "}}", "http2");
  });
  expect_range(1, kMax, [](const auto& v) {
    return gateway("connectionPool: {grpc: {maxRequests: " + v + "}}", "grpc");
  });
  expect_range(1, kMax, [](const auto& v) {
    return node_listener("connectionPool: {tcp: {maxConnections: " + v + "}}", "tcp");
  });
  expect_range(0, 1000, [](const auto& v) {
    return gateway() + "- gatewayRoute: r\n  spec: {priority: " + v +
           ", httpRoute: {match: {prefix: /}, action: {target: {virtualService: "
           "{virtualServiceName: s}}}}}\n";
  });
  expect_range(1, 65535, [](const auto& v) {
    return gateway() + http_route("{prefix: /, port: " + v + "}");
  });
  expect_range(0, 1000, [](const auto& v) {
    return routed("{priority: " + v +
                  ", tcpRoute: {action: {weightedTargets: [{virtualNode: n, weight: 1}]}}}");
  });
  expect_range(0, 100, [](const auto& v) {
    return routed("{tcpRoute: {action: {weightedTargets: [{virtualNode: n, weight: " + v + "}]}}}");
  });
  expect_range(0, 100, [](const auto& v) {
    return node_listener(
        "outlierDetection: {maxServerErrors: 1, interval: {unit: s, value: 0}, "
        "baseEjectionDuration: {unit: s, value: 0}, maxEjectionPercent: " +
        v + "}");
  });
  expect_range(1, 65535, [](const auto& v) {
    return client_tls("{ports: [" + v + "], validation: {trust: {file: {certificateChain: c}}}}");
  });
}

TEST(Spec, NumbersWithoutAnUpperBound) {
  const auto outlier = [](const std::string& errors) {
    return node_listener("outlierDetection: {maxServerErrors: " + errors +
                         ", interval: {unit: s, value: 0}, baseEjectionDuration: {unit: ms, value: "
                         "0}, maxEjectionPercent: 1}");
  };
  const auto retries = [](const std::string& count) {
    return routed(
        "{httpRoute: {match: {}, action: {weightedTargets: [{virtualNode: n, weight: 1}]}, "
        "retryPolicy: {maxRetries: " +
        count + ", perRetryTimeout: {unit: ms, value: 1}}}}");
  };
  expect_cases({{outlier("1"), ""},
                {outlier("9223372036854775807"), ""},
                {outlier("0"), "maxServerErrors: must be at least 1, is 0"},
                {retries("0"), ""},
                {retries("-1"), "maxRetries: must be at least 0, is -1"}});
}

TEST(Spec, DurationsNeedAUnitAndAValueThatFits) {
  const auto timeout = [](const std::string& duration) {
    return routed(
        "{httpRoute: {match: {}, action: {weightedTargets: [{virtualNode: n, weight: 1}]}, "
        "timeout: {perRequest: " +
        duration + "}}}");
  };
  expect_cases({
      {timeout("{unit: s, value: 9223372036}"), ""},
      {timeout("{unit: s, value: 9223372037}"), "value: must be between 0 and 9223372036, is"},
      {timeout("{unit: ms, value: 9223372036854}"), ""},
      {timeout("{unit: ms, value: 9223372036855}"), "value: must be between 0 and 9223372036854"},
      {timeout("{unit: ms, value: -1}"), "value: must be between 0 and"},
      {timeout("{unit: m, value: 1}"), "unit: must be one of s, ms, is the string \"m\""},
      {timeout("{value: 1}"), "unit: is required"},
      {timeout("{unit: s}"), "value: is required"},
      {timeout("5s"), "perRequest: must be an object, is the string \"5s\""},
  });
}

TEST(Spec, StringsHoldTheirLengths) {
  expect_length(1, 255, [](const auto& v) { return logging("{file: {path: " + v + "}}"); });
  expect_length(1, 1000, [](const auto& v) {
    return logging("{file: {path: p, format: {text: " + v + "}}}");
  });
  for (const bool key : {true, false}) {
    expect_length(1, 100, [&](const auto& v) {
      return logging("{file: {path: p, format: {json: [{key: " + (key ? v : "k") +
                     ", value: " + (key ? "v" : v) + "}]}}}");
    });
  }
  expect_length(1, 50, [](const auto& v) {
    return gateway() + http_route("{prefix: /, headers: [{name: " + v + "}]}");
  });
  for (const char* kind : {"exact", "prefix", "suffix", "regex"}) {
    expect_length(1, 255, [&](const auto& v) {
      return gateway() + http_route("{prefix: /, headers: [{name: x, match: {" + std::string(kind) +
                                    ": " + v + "}}]}");
    });
  }
  expect_length(
      1, 255, [](const auto& v) { return gateway() + http_route("{path: {exact: " + v + "}}"); },
      '/');
  expect_length(1, 255,
                [](const auto& v) { return gateway() + http_route("{path: {regex: " + v + "}}"); });
  expect_length(1, 253, [](const auto& v) {
    return gateway() + http_route("{hostname: {exact: " + v + "}}");
  });
  expect_length(
      1, 255,
      [](const auto& v) {
        return gateway() + http_route("{prefix: /}", "rewrite: {prefix: {value: " + v + "}}");
      },
      '/');
  expect_length(
      1, 255,
      [](const auto& v) {
        return gateway() + http_route("{prefix: /}", "rewrite: {path: {exact: " + v + "}}");
      },
      '/');
  expect_length(1, 255, [](const auto& v) {
    return gateway("tls: {mode: STRICT, certificate: {file: {certificateChain: " + v +
                   ", privateKey: k}}}");
  });
  expect_length(1, 255, [](const auto& v) {
    return gateway(
        "tls: {mode: STRICT, certificate: {file: {certificateChain: c, privateKey: " + v + "}}}");
  });
  expect_length(1, 255, [](const auto& v) {
    return client_tls("{validation: {trust: {file: {certificateChain: " + v + "}}}}");
  });
  expect_length(1, 254, [](const auto& v) {
    return gateway(
        file_tls(", validation: {trust: {file: {certificateChain: c}}, "
                 "subjectAlternativeNames: {match: {exact: [" +
                 v + "]}}}"));
  });
  for (const bool space : {true, false}) {
    expect_length(1, 1024, [&](const auto& v) {
      return "- virtualNode: n\n  spec: {serviceDiscovery: {awsCloudMap: {namespaceName: " +
             (space ? v : "n") + ", serviceName: " + (space ? "s" : v) + "}}}\n";
    });
  }
  expect_length(1, 50, [](const auto& v) {
    return routed("{grpcRoute: {match: {methodName: " + v +
                  "}, action: {weightedTargets: [{virtualNode: n, weight: 1}]}}}");
  });
}

TEST(Spec, ListsHoldTheirCounts) {
  expect_count(1, 10, "{name: x}", [](const auto& v) {
    return gateway() + http_route("{prefix: /, headers: " + v + "}");
  });
  expect_count(1, 10, "{name: x}", [](const auto& v) {
    return gateway() + http_route("{prefix: /, queryParameters: " + v + "}");
  });
  expect_count(1, 10, "{name: x}", [](const auto& v) {
    return routed("{grpcRoute: {match: {metadata: " + v +
                  "}, action: {weightedTargets: [{virtualNode: n, weight: 1}]}}}");
  });
  expect_count(1, 10, "{virtualNode: n, weight: 1}", [](const auto& v) {
    return routed("{tcpRoute: {action: {weightedTargets: " + v + "}}}");
  });
  expect_count(1, 3, "arn", [](const auto& v) {
    return client_tls("{validation: {trust: {acm: {certificateAuthorityArns: " + v + "}}}}");
  });
  const auto retry = [](const std::string& events, const std::string& v) {
    return routed(
        "{grpcRoute: {match: {}, action: {weightedTargets: [{virtualNode: n, weight: 1}]}, "
        "retryPolicy: {maxRetries: 1, perRetryTimeout: {unit: s, value: 1}, " +
        events + ": " + v + "}}}");
  };
  expect_count(1, 25, "server-error", [&](const auto& v) { return retry("httpRetryEvents", v); });
  expect_count(1, 5, "internal", [&](const auto& v) { return retry("grpcRetryEvents", v); });
  expect_count(1, 1, "connection-error", [&](const auto& v) { return retry("tcpRetryEvents", v); });
}

TEST(Spec, ChoicesTakeTheirWordsOnly) {
  for (const char* method :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}) {
    EXPECT_THAT(
        errors_of(gateway() + http_route("{prefix: /, method: " + std::string(method) + "}")),
        IsEmpty());
  }
  expect_cases({
      {gateway() + http_route("{prefix: /, method: get}"), "method: must be one of GET, HEAD"},
      {gateway("", "https"), "protocol: must be one of http, http2, grpc, is the string \"https\""},
      {gateway("", "tcp"), "protocol: must be one of http, http2, grpc, is the string \"tcp\""},
      {gateway("", "HTTP"), "protocol: must be one of http, http2, grpc, is the string \"HTTP\""},
      {gateway("", "5"), "protocol: must be one of http, http2, grpc, is 5"},
      {gateway() + http_route("{prefix: /}", "rewrite: {prefix: {defaultPrefix: disabled}}"),
       "defaultPrefix: must be one of ENABLED, DISABLED"},
      {"- mesh: m\n  spec: {egressFilter: {type: ALLOW}}",
       "type: must be one of ALLOW_ALL, DROP_ALL"},
      {"- mesh: m\n  spec: {egressFilter: {}}", "type: is required"},
      {"- virtualNode: n\n  spec: {serviceDiscovery: {dns: {hostname: h, ipPreference: IPv4}}}",
       "ipPreference: must be one of IPv6_PREFERRED"},
      {"- virtualNode: n\n  spec: {serviceDiscovery: {dns: {hostname: h, responseType: X}}}",
       "responseType: must be one of LOADBALANCER, ENDPOINTS"},
      {routed("{httpRoute: {match: {scheme: ftp}, action: {weightedTargets: [{virtualNode: n, "
              "weight: 1}]}}}"),
       "scheme: must be one of http, https"},
  });
}

// ---- Rules between members: AM-VAL-* ------------------------------------------------------

TEST(Spec, AGatewayNeedsExactlyOneListener) {  // AM-VAL-01, AM-VAL-02, LS-01
  const std::string one = "{portMapping: {port: 1, protocol: http}}";
  const auto listeners = [](const std::string& list) {
    return "- virtualGateway: edge\n  spec: {listeners: " + list + "}\n";
  };
  expect_cases(
      {
          {"- virtualGateway: edge\n  spec: {}\n", "/0/spec/listeners: is required"},
          {listeners("[]"), "/0/spec/listeners: must have a listener, has none"},
          {listeners("[" + one + "]"), ""},
          {listeners("[" + one + ", " + one + "]"), "another than 1"},
      },
      in_era(Era::Last));
  expect_cases({
      {listeners("[]"), "/0/spec/listeners: must have a listener, has none"},
      {listeners("[" + one + ", {portMapping: {port: 2, protocol: http}}]"),
       "/0/spec/listeners: must have exactly one listener in era seed-b, has 2; several exist "
       "since "
       "August 2022 (era last)"},
      {listeners("[~]"), "/0/spec/listeners/0: must be an object, is null"},
      {listeners("[{}]"), "/0/spec/listeners/0/portMapping: is required"},
      {listeners("[{portMapping: {port: 1}}]"), "portMapping/protocol: is required"},
      {listeners("[{portMapping: {protocol: http}}]"), "portMapping/port: is required"},
      {listeners("[{portMapping: {port: 99999999999, protocol: http}}]"),
       "must be between 1 and 65535, is 99999999999"},
  });
}

TEST(Spec, APoolIsOfTheListenersProtocol) {  // AM-VAL-03, AM-VAL-04
  expect_cases({
      {pool("{http: {maxConnections: 1}}"), ""},
      {pool("{http: {maxPendingRequests: 1}}"), "maxConnections: is required"},
      {pool("{http2: {maxRequests: 1}}"),
       "connectionPool/http2: must be for the listener's protocol http, is for http2"},
      {gateway("connectionPool: {http: {maxConnections: 1}}", "grpc"),
       "connectionPool/http: must be for the listener's protocol grpc, is for http"},
      {pool("{}"), "connectionPool: must have exactly one of http, http2, grpc, has none"},
      {pool("{http: {maxConnections: 1}, grpc: {maxRequests: 1}}"),
       "connectionPool: must have exactly one of http, http2, grpc, has http, grpc"},
      {pool("{http: {maxConnections: 1, maxRequests: 1}}"), "maxRequests: is not known here"},
      {gateway("connectionPool: {http2: {maxRequests: 1, maxPendingRequests: 1}}", "http2"),
       "maxPendingRequests: is not known here"},
      {node_listener("connectionPool: {tcp: {maxConnections: 1}}"),
       "must be for the listener's protocol http, is for tcp"},
      {node_listener("timeout: {tcp: {idle: {unit: s, value: 1}}}"),
       "must be for the listener's protocol http, is for tcp"},
      {node_listener("timeout: {tcp: {perRequest: {unit: s, value: 1}}}", "tcp"),
       "perRequest: is not known here"},
  });
}

TEST(Spec, AHealthCheckIsWholeOrAbsent) {  // AM-VAL-05 to -09
  for (const char* key :
       {"protocol", "healthyThreshold", "unhealthyThreshold", "intervalMillis", "timeoutMillis"}) {
    EXPECT_THAT(
        errors_of(gateway(health_check(key, ""))),
        ElementsAre("/0/spec/listeners/0/healthCheck/" + std::string(key) + ": is required"));
  }
  expect_cases({
      {gateway(health_check("port", "9080")), ""},
      {gateway(health_check("port", "9081")),
       "healthCheck/port: must be the listener's port 9080, is 9081"},
      {gateway(health_check("path", "/ping", "grpc"), "grpc"), ""},  // Ignored, not refused.
      {gateway(health_check("protocol", "grpc")),
       "GRPC HealthCheck requires listener type http2 or grpc, is http"},
      {gateway(health_check("protocol", "grpc"), "http2"), ""},
      {gateway(health_check("protocol", "tcp")), "protocol: must be one of http, http2, grpc"},
      {node_listener(health_check("protocol", "tcp")), ""},
  });
}

TEST(Spec, ListenerTls) {  // AM-VAL-10, AM-SHP-N2
  expect_cases({
      {gateway(file_tls()), ""},
      {gateway("tls: {mode: DISABLED}"), "tls/certificate: is required"},
      {gateway("tls: {certificate: {acm: {certificateArn: a}}}"), "tls/mode: is required"},
      {gateway("tls: {mode: STRICT, certificate: {}}"),
       "certificate: must have exactly one of acm, file, sds, has none"},
      {gateway(
           "tls: {mode: STRICT, certificate: {acm: {certificateArn: a}, sds: {secretName: s}}}"),
       "certificate: must have exactly one of acm, file, sds, has acm, sds"},
      {gateway(file_tls(", validation: {}")), "validation/trust: is required"},
  });
}

TEST(Spec, ClientPolicy) {  // AM-VAL-11 to -14
  const auto names = [](const std::string& enforce, const std::string& name) {
    return client_tls("{enforce: " + enforce +
                      ", validation: {trust: {file: {certificateChain: c}}, "
                      "subjectAlternativeNames: {match: {exact: [" +
                      name + "]}}}}");
  };
  expect_cases({
      {client_tls("{enforce: false}"), "tls/validation: is required"},
      {client_tls("{enforce: false, validation: {}}"), "validation/trust: is required"},
      {client_tls("{enforce: yes, validation: {trust: {sds: {secretName: s}}}}"),
       "enforce: must be true or false, is the string \"yes\""},
      {names("true", "a.example"), ""},
      {names("true", "\"spiffe://shop/a\""), ""},
      {names("true", "\"a b\""), "must be a domain name or a URI, is \"a b\""},
      {names("true", "\"a..b\""), "must be a domain name or a URI"},
      {names("true", "\"://x\""), "must be a domain name or a URI"},
      {names("true", "\"*.example\""), "must not have a wildcard where the client policy enforces"},
      {names("false", "\"*.example\""), ""},
  });
}

TEST(Spec, AMemberOfTheWrongUnionIsNamed) {  // AM-SHP-N2
  const auto none = [](const char* names) {
    return HasSubstr(std::string("must have exactly one of ") + names + ", has none");
  };
  EXPECT_THAT(
      errors_of(gateway(file_tls(", validation: {trust: {acm: {certificateAuthorityArns: [a]}}}"))),
      ElementsAre(none("file, sds"), HasSubstr("acm: is not known here")));
  EXPECT_THAT(errors_of(client_tls("{certificate: {acm: {certificateArn: a}}, validation: {trust: "
                                   "{sds: {secretName: s}}}}")),
              ElementsAre(none("file, sds"), HasSubstr("acm: is not known here")));
  EXPECT_THAT(errors_of("- virtualNode: n\n  spec: {serviceDiscovery: {static: []}}"),
              ElementsAre(none("dns, awsCloudMap"), HasSubstr("static: is not known here")));
}

TEST(Spec, AccessLog) {  // AM-VAL-15
  expect_cases({
      {logging("{file: {path: p}}"), ""},
      {logging("{}"), "accessLog: must have file"},
      {logging("{file: {}}"), "path: is required"},
      {logging("{file: {path: p, format: {text: \"%NONSENSE\"}}}"), ""},  // Not checked.
      {logging("{file: {path: p, format: {}}}"), "must have exactly one of text, json, has none"},
      {logging("{file: {path: p, format: {text: a, json: []}}}"),
       "must have exactly one of text, json, has text, json"},
      {logging("{file: {path: p, format: {json: [{key: a}]}}}"), "value: is required"},
  });
}

TEST(Spec, AGatewayRouteIsOfOneKind) {  // AM-VAL-16, AM-SHP-N3
  const std::string http =
      "{match: {prefix: /}, action: {target: {virtualService: {virtualServiceName: s}}}}";
  const auto route = [](const std::string& spec) {
    return gateway() + "- gatewayRoute: r\n  spec: " + spec + "\n";
  };
  expect_cases({
      {route("{}"), "must have exactly one of httpRoute, http2Route, grpcRoute, has none"},
      {route("{httpRoute: " + http + ", http2Route: " + http + "}"), "has httpRoute, http2Route"},
      {route("{http2Route: " + http + "}"), ""},
      {route("{httpRoute: {match: {prefix: /}}}"), "httpRoute/action: is required"},
      {route("{httpRoute: {match: {prefix: /}, action: {}}}"), "action/target: is required"},
      {route("{tcpRoute: " + http + ", httpRoute: " + http + "}"), "tcpRoute: is not known here"},
      {route("{httpRoute: {match: {prefix: /}, retryPolicy: {}, action: {target: {virtualService: "
             "{virtualServiceName: s}}}}}"),
       "retryPolicy: is not known here"},
  });
}

TEST(Spec, WhatAGatewayRouteMatches) {  // AM-VAL-17, AM-VAL-19, AM-VAL-20, AM-VAL-30, AM-VAL-31
  const auto match = [](const std::string& text) { return gateway() + http_route(text); };
  const auto header = [&](const std::string& text) {
    return match("{prefix: /, headers: [{name: x, match: " + text + "}]}");
  };
  expect_cases({
      {match("{}"), "match: must have at least one of prefix, path, hostname, port"},
      {match("{method: GET}"), "match: must have at least one of prefix, path, hostname, port"},
      {match("{port: 9080}"), ""},
      {match("{hostname: {exact: a.example}}"), ""},
      {match("{prefix: /, path: {exact: /}}"), "must have at most one of prefix, path, has prefix"},
      {match("{path: {}}"), "path: must have exactly one of exact, regex, has none"},
      {match("{path: {exact: /, regex: .*}}"), "path: must have exactly one of exact, regex"},
      {match("{path: {exact: a}}"), "exact: must begin with /, is \"a\""},
      {match("{path: {regex: \"(\"}}"), "regex: must be a regular expression of RE2: missing )"},
      {match("{path: {regex: \"(?=a)\"}}"), "regex: must be a regular expression of RE2"},
      {match("{prefix: chapter}"), "prefix: must begin with /, is \"chapter\""},
      {match("{prefix: \"\"}"), "prefix: must begin with /, is \"\""},
      {match("{prefix: /aws-appmesh}"), "prefix: must not begin with /aws-appmesh"},
      {match("{prefix: /aws-app-mesh/x}"), "prefix: must not begin with /aws-appmesh"},
      {match("{prefix: /aws-app}"), ""},
      {match("{hostname: {}}"), "hostname: must have exactly one of exact, suffix, has none"},
      {match("{hostname: {exact: a, suffix: .a}}"), "hostname: must have exactly one of"},
      {match("{hostname: {exact: \"a.example:80\"}}"), "exact: must be a host name without a port"},
      {match("{hostname: {suffix: .example.com}}"), ""},
      {match("{hostname: {suffix: \"*.example.com\"}}"), ""},
      {match("{hostname: {suffix: -example.com}}"), "suffix: must begin at a label"},
      {match("{hostname: {suffix: example.com}}"), "suffix: must begin at a label"},
      {match("{prefix: /, headers: [{name: x}]}"), ""},
      {match("{prefix: /, headers: [{}]}"), "headers/0/name: is required"},
      {header("{}"), "must have exactly one of exact, prefix, suffix, regex, range, has none"},
      {header("{exact: a, prefix: b}"), "has exact, prefix"},
      {header("{range: {start: 1, end: 2}}"), ""},
      {header("{range: {start: 2, end: 2}}"), "must have a start below its end, is 2 to 2"},
      {header("{range: {start: 1}}"), "end: is required"},
      {header("{regex: \"[\"}"), "regex: must be a regular expression of RE2"},
      {match("{prefix: /, queryParameters: [{name: q, match: {}}]}"), ""},
      {match("{prefix: /, queryParameters: [{match: {exact: a}}]}"), "name: is required"},
      {match("{prefix: /, queryParameters: [{name: q, match: {prefix: a}}]}"),
       "prefix: is not known here"},
  });
}

TEST(Spec, AGrpcGatewayRoute) {  // AM-VAL-18, AM-VAL-19, AM-REW-08
  const auto route = [](const std::string& match, const std::string& more = "") {
    return gateway("", "grpc") + "- gatewayRoute: r\n  spec: {grpcRoute: {match: " + match +
           ", action: {target: {virtualService: {virtualServiceName: s}}" + more + "}}}\n";
  };
  expect_cases({
      {route("{}"), ""},
      {route("{serviceName: a.B, metadata: [{name: m, match: {regex: .*}}]}"), ""},
      {route("{serviceName: aws.appmesh.X}"), "must not begin with aws.appmesh or aws.app-mesh"},
      {route("{serviceName: aws.app-mesh}"), "must not begin with aws.appmesh or aws.app-mesh"},
      {route("{methodName: m}"), "methodName: is not known here"},
      {route("{}", ", rewrite: {hostname: {defaultTargetHostname: DISABLED}}"), ""},
      {route("{}", ", rewrite: {prefix: {value: /}}"), "prefix: is not known here"},
  });
}

TEST(Spec, Rewrites) {  // AM-VAL-21 to -23
  const auto rewrite = [](const std::string& text) {
    return gateway() + http_route("{prefix: /a}", "rewrite: " + text);
  };
  expect_cases({
      {rewrite("{}"), ""},
      {rewrite("{prefix: {value: /x/}, hostname: {defaultTargetHostname: ENABLED}}"), ""},
      {rewrite("{prefix: {value: /x}}"), "value: must end with /, is \"/x\""},
      {rewrite("{prefix: {value: x/}}"), "value: must begin with /, is \"x/\""},
      {rewrite("{prefix: {value: /x/, defaultPrefix: ENABLED}}"),
       "prefix: must have at most one of defaultPrefix, value, has defaultPrefix, value"},
      {rewrite("{prefix: {value: /x/}, path: {exact: /x}}"),
       "rewrite: must have at most one of prefix, path, has prefix, path"},
      {rewrite("{path: {exact: x}}"), "exact: must begin with /, is \"x\""},
      {rewrite("{path: {exact: \"\"}}"), "exact: must not be empty"},
      {rewrite("{path: {exact: /x}}"), ""},
  });
}

TEST(Spec, Routes) {  // AM-SHP-N6, AM-SHP-226 to -246
  const auto targets = [](const std::string& list) {
    return routed("{tcpRoute: {action: {weightedTargets: " + list + "}}}");
  };
  const auto retry = [](const std::string& text) {
    return routed(
        "{httpRoute: {match: {}, action: {weightedTargets: [{virtualNode: n, weight: 1}]}, "
        "retryPolicy: " +
        text + "}}");
  };
  expect_cases({
      {routed("{}"), "must have exactly one of httpRoute, http2Route, grpcRoute, tcpRoute"},
      {targets("[{virtualNode: n, weight: 60}, {virtualNode: n, weight: 40}]"), ""},
      {targets("[{virtualNode: n, weight: 60}, {virtualNode: n, weight: 41}]"),
       "weightedTargets: must have weights with a sum of at most 100, have 101"},
      {targets("[{virtualNode: n}]"), "weight: is required"},
      {targets("[{weight: 1}]"), "virtualNode: is required"},
      {retry("{maxRetries: 1}"), "perRetryTimeout: is required"},
      {retry("{perRetryTimeout: {unit: s, value: 1}}"), "maxRetries: is required"},
      {retry("{maxRetries: 1, perRetryTimeout: {unit: s, value: 1}, httpRetryEvents: [x]}"),
       "must be one of server-error, gateway-error, client-error, stream-error"},
      {retry("{maxRetries: 1, perRetryTimeout: {unit: s, value: 1}, tcpRetryEvents: [reset]}"),
       "must be connection-error, is the string \"reset\""},
      {retry("{maxRetries: 1, perRetryTimeout: {unit: s, value: 1}, grpcRetryEvents: [internal]}"),
       "grpcRetryEvents: is not known here"},
      {routed("{httpRoute: {match: {hostname: {exact: a}}, action: {weightedTargets: "
              "[{virtualNode: n, weight: 1}]}}}"),
       "hostname: is not known here"},
      {routed(
           "{httpRoute: {match: {prefix: x}, action: {weightedTargets: [{virtualNode: n, weight: "
           "1}]}}}"),
       "prefix: must begin with /"},
  });
}

TEST(Spec, ServicesAndNodes) {
  const auto attribute = [](const std::string& text) {
    return "- virtualNode: n\n  spec: {serviceDiscovery: {awsCloudMap: {namespaceName: a, "
           "serviceName: b, attributes: [" +
           text + "]}}}\n";
  };
  expect_cases({
      {"- virtualService: s\n  spec: {provider: {}}",
       "provider: must have exactly one of virtualNode, virtualRouter, has none"},
      {"- virtualService: s\n  spec: {provider: {virtualNode: {}}}",
       "virtualNodeName: is required"},
      {"- virtualService: s", ""},
      {"- virtualNode: n\n  spec: {serviceDiscovery: {}}",
       "must have exactly one of dns, awsCloudMap, has none"},
      {"- virtualNode: n\n  spec: {serviceDiscovery: {dns: {}}}", "hostname: is required"},
      {"- virtualNode: n\n  spec: {backends: [{}]}", "must have virtualService"},
      {"- virtualNode: n\n  spec: {backends: [{virtualService: {}}]}",
       "virtualServiceName: is required"},
      {attribute("{key: \"a!~\", value: \"a b\"}"), ""},
      {attribute("{key: \"a b\", value: a}"), "key: must be of graphic ASCII characters only"},
      {attribute("{key: a, value: \" a\"}"), "value: must be of ASCII characters and blanks"},
      {"- virtualRouter: v\n  spec: {listeners: [{portMapping: {port: 1, protocol: tcp}}]}", ""},
      {"- virtualRouter: v\n  spec: {listeners: []}",
       "must have exactly one listener in era seed-b, has 0"},
  });
}

// ---- Eras: AM-ERA-* -----------------------------------------------------------------------

TEST(Spec, SeedAKnowsNoMatchButThePrefix) {  // AM-ERA-01 to -03
  const auto match = [](const std::string& text) { return gateway() + http_route(text); };
  const std::string since = ": exists since June 2021 (era seed-b), not in era seed-a";
  expect_cases(
      {
          {match("{prefix: /}"), ""},
          {match("{prefix: /, hostname: {exact: a}}"), "hostname" + since},
          {match("{prefix: /, headers: [{name: x}]}"), "headers" + since},
          {match("{prefix: /, method: GET}"), "method" + since},
          {match("{prefix: /, queryParameters: [{name: x}]}"), "queryParameters" + since},
          {match("{prefix: /, port: 1}"), "port: exists since November 2021 (era seed-b)"},
          {match("{}"), "prefix: is required in era seed-a"},
          {gateway() + http_route("{prefix: /}", "rewrite: {}"), "rewrite" + since},
          {gateway() + "- gatewayRoute: r\n  spec: {priority: 1, httpRoute: {match: {prefix: /}, "
                       "action: {target: {virtualService: {virtualServiceName: s}}}}}\n",
           "priority" + since},
          {gateway(file_tls(", validation: {trust: {file: {certificateChain: c}}}")),
           "validation: exists since February 2021 (era seed-b), not in era seed-a"},
          {gateway("tls: {mode: STRICT, certificate: {sds: {secretName: s}}}"),
           "sds: exists since February 2021"},
          {client_tls("{certificate: {file: {certificateChain: c, privateKey: k}}, validation: "
                      "{trust: {file: {certificateChain: c}}}}"),
           "certificate: exists since February 2021"},
          {client_tls("{validation: {trust: {file: {certificateChain: c}}, "
                      "subjectAlternativeNames: {match: {exact: [a]}}}}"),
           "subjectAlternativeNames: exists since February 2021"},
          {pool("{http: {maxConnections: 1}}"), ""},
      },
      in_era(Era::SeedA));
  EXPECT_THAT(
      errors_of(match("{path: {exact: /}}"), in_era(Era::SeedA)),
      ElementsAre(HasSubstr("prefix: is required in era seed-a"), HasSubstr("path" + since)));
}

}  // namespace
}  // namespace mesh
