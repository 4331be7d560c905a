#pragma once

#include <chrono>

#include "conformance/verdict.h"

namespace reports {

// Reports as the engine makes them, for the tests of this folder.

inline world::TimePoint at(world::Duration since_start) {
  return world::TimePoint(since_start);
}

inline conformance::RunResult passed_run() {
  using namespace std::chrono_literals;
  conformance::RunResult run;
  run.id = "rewrites/prefix";
  run.title = "The matched prefix becomes /";
  run.file = "scenarios/rewrites/prefix.scenario.yaml";
  run.digest = "00112233445566778899aabbccddeeff";
  run.clauses = {"RW-02"};
  run.era = "seed-b";
  run.simulated = 4ms;
  run.events = 17;
  run.trace_hash = "3f9a2c1d00000000000000000000beef";
  run.checks = {{.at = at(4ms),
                 .name = "steps/0 status",
                 .passed = true,
                 .expected = "200",
                 .actual = "200",
                 .place = {run.file, 18, 15}}};
  conformance::ObservedRequest request;
  request.id = "client/1";
  request.client = "client";
  request.answered_at = at(4ms);
  request.method = "GET";
  request.url = "http://edge/chapter/1";
  request.status = 200;
  request.response_headers = {{"server", "envoy"}};
  request.seen = {{.at = at(2ms),
                   .service = "books.shop.local",
                   .endpoint = "books-1",
                   .method = "GET",
                   .path = "/1",
                   .host = "books.shop.local",
                   .headers = {{"host", "books.shop.local"}},
                   .body = ""}};
  run.requests = {request};
  run.replay = "meshproof run scenarios/rewrites/prefix.scenario.yaml --seed 0";
  return run;
}

inline conformance::RunResult failed_run() {
  using namespace std::chrono_literals;
  conformance::RunResult run = passed_run();
  run.id = "rewrites/host";
  run.title = "The host becomes the service's name";
  run.outcome = conformance::Outcome::Failed;
  run.checks.push_back({.at = at(4250us),
                        .name = "steps/0 service.host",
                        .passed = false,
                        .expected = "books.shop.local",
                        .actual = "edge",
                        .place = {run.file, 20, 17}});
  run.timeline = {{.at = at(0ns), .who = "client", .what = "RequestSent GET /chapter/1"},
                  {.at = at(4250us), .who = "books-1", .what = "RequestSeen GET /1"}};
  return run;
}

inline conformance::RunResult bad_file_run() {
  conformance::RunResult run;
  run.id = "broken";
  run.file = "broken.scenario.yaml";
  run.outcome = conformance::Outcome::Error;
  run.errors = {{.path = "/stepz", .message = "unknown key", .place = {run.file, 7, 1}},
                {.path = "/mesh/0/spec/listeners/0/portMapping/port",
                 .message = "must be between 1 and 65535, is 0",
                 .place = {run.file, 3, 50}}};
  run.replay = "meshproof run broken.scenario.yaml --seed 0";
  return run;
}

inline conformance::RunResult skipped_run() {
  conformance::RunResult run;
  run.id = "tls/expiry";
  run.title = "An expired certificate is refused";
  run.outcome = conformance::Outcome::Skipped;
  run.reason = "a live target cannot wait 90 days";
  return run;
}

inline conformance::Report report_of(std::vector<conformance::RunResult> runs) {
  return {.version = "0.1.0", .seed = 7, .target = "sim", .runs = std::move(runs)};
}

}  // namespace reports
