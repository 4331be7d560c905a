#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/exchange.h"
#include "conformance/expectation.h"
#include "conformance/log_times.h"
#include "conformance/stage.h"
#include "conformance/staged_api.h"
#include "conformance/verdict.h"

namespace conformance {

/// Compares what was seen with what must be seen, and writes down each comparison.
class Judge {
 public:
  /// Times are not judged if there is something to count them in instead.
  Judge(Stage& stage, std::vector<Check>& checks, std::uint64_t* unjudged_times = nullptr)
      : stage_(stage), checks_(checks), unjudged_times_(unjudged_times) {}

  /// While it only tries, verdicts do not come into the trace.
  void set_tries(bool tries) { tries_ = tries; }
  /// Those from that check on do now.
  void tell(std::size_t first);

  /// `where` names the step, e.g. "steps/2".
  void request(const std::string& where, const RequestExpectation& expected,
               const Exchange& exchange);
  void group(const std::string& where, const GroupExpectation& expected,
             const std::vector<const Exchange*>& exchanges);
  void count(const std::string& where, const CountExpectation& expected);
  void log(const std::string& where, const LogExpectation& expected);
  void api(const std::string& where, const ApiExpectation& expected,
           const StagedApi::Outcome& outcome);
  void balancer(const std::string& where, const BalancerExpectation& expected);
  /// The reasons for which a mesh was refused. Static: nothing was run.
  static void refusal(const RefusedExpectation& expected, const world::Errors& errors,
                      std::vector<Check>& checks);

  void check(std::string name, bool passed, std::string expected, std::string actual,
             const world::Place& place);

 private:
  /// Whether an expectation of a time is not judged: then it is counted.
  bool leaves_time();
  std::string left_times(const TextExpectation& expected, const std::string& line,
                         const LogTimes& times);
  void text(const std::string& name, const TextExpectation& expected,
            const std::optional<std::string>& actual);
  void failure(const std::string& name, const TextExpectation& expected, const std::string& actual);
  void number(const std::string& name, const NumberExpectation& expected, std::int64_t actual);
  void headers(const std::string& where, const std::vector<HeaderExpectation>& expected,
               const std::vector<std::pair<std::string, std::string>>& actual);
  void trailers(const std::string& where, const std::vector<HeaderExpectation>& expected,
                const std::vector<std::pair<std::string, std::string>>& actual);
  void messages(const std::string& where, const std::vector<MessageExpectation>& expected,
                const std::vector<ObservedRequest::Message>& actual, const world::Place& place);
  void frames(const std::string& where, const std::vector<FrameExpectation>& expected,
              const std::vector<ObservedRequest::Frame>& actual, const world::Place& place);
  void service(const std::string& where, const ServiceExpectation& expected,
               const Exchange& exchange);
  void tls(const std::string& where, const TlsExpectation& expected,
           const std::optional<ObservedRequest::Tls>& actual);
  void raw(const std::string& where, const RequestExpectation& expected, const Exchange& exchange);
  void lines(const std::string& where, const std::vector<LineExpectation>& expected,
             const std::vector<std::string>& actual, const world::Place& place,
             const LogTimes* times);

  Stage& stage_;
  std::vector<Check>& checks_;
  std::uint64_t* unjudged_times_;
  bool tries_ = false;
};

/// The answers in what a raw connection received. `ended`: nothing more will come.
std::vector<Answer> answers_in(const std::string& received, bool head, bool ended);

/// Why a raw connection ended without a whole answer, in the words of peers::RequestOutcome. Empty:
/// there is one, or the connection is open.
std::string failure_of(const peers::RawConnection& raw, const std::string& host, bool head);

}  // namespace conformance
