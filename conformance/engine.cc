#include "conformance/engine.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>

#include "conformance/faults.h"
#include "conformance/judge.h"
#include "conformance/live_limits.h"
#include "conformance/live_setting.h"
#include "conformance/names.h"
#include "conformance/series.h"
#include "conformance/sim_setting.h"
#include "conformance/stage.h"
#include "conformance/staged_api.h"
#include "conformance/units.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;

/// A run of more events that failed is not run again to tell more of it.
constexpr std::uint64_t kMostToRepeat = 2'000'000;
constexpr world::TimePoint kNever = world::TimePoint::max();
constexpr const char* kAnsweredOnce = "every request is answered once";
/// How long a raw connection must be quiet before what came on it is judged to be all.
constexpr Duration kQuiet = 2s;
/// How many requests of a group are kept, and reported, with all that was seen of them.
constexpr std::uint64_t kFull = 1000;

/// Real time that a live run may take beyond what the simulated one did.
constexpr Duration kPatience = 5s;
/// Real time that something may be late in a live run.
constexpr Duration kSlack = 250ms;

/// As a shell takes it for one word.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:=@,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool compare(std::int64_t left, Invariant::Comparison how, std::int64_t right) {
  switch (how) {
    case Invariant::Comparison::Less:
      return left < right;
    case Invariant::Comparison::AtMost:
      return left <= right;
    case Invariant::Comparison::Equal:
      return left == right;
    case Invariant::Comparison::Unequal:
      return left != right;
    case Invariant::Comparison::AtLeast:
      return left >= right;
    case Invariant::Comparison::More:
      return left > right;
  }
  return false;
}

/// One run: works through the steps, lets time pass, and has everything judged.
class Run {
 public:
  /// `patience`: how long requests are waited for after the last step, if not as long as the
  /// scenario says. Then the world is a real one. `slack`: how late in it what must be seen at an
  /// instant may come.
  Run(const Scenario& scenario, Setting& setting, RunResult& result, const RunOptions& options,
      std::optional<Duration> patience = {}, Duration slack = {},
      const std::optional<StagedTarget::Parts>& target = {})
      : scenario_(scenario),
        result_(result),
        setting_(setting),
        live_(patience.has_value()),
        slack_(slack),
        patience_(std::min(patience.value_or(scenario.limits.time), scenario.limits.time)),
        stage_(scenario, setting, target, options.defect),
        faults_(setting, stage_),
        judge_(stage_, result.checks, live_ ? &result.unjudged_times : nullptr) {
    stage_.links_set = [this] { faults_.links_were_set(); };
    if (!options.series) return;
    series_.emplace(stage_);
    const Window window = options.window.value_or(Window{.from = kNever, .to = kNever});
    window_ = options.window;
    stage_.observer().watch(
        window.from, window.to,
        [this](world::HostId who, const std::string& of, const std::string& by) {
          return of.empty() ? selects_host(who) : selects_thing(of) || selects_thing(by);
        });
    series_->look(now(), on_change_);
    if (window_ && now() >= window_->from) note_begin();
  }

  void run() {
    if (!await_target()) return;
    if (!asks_whether_gateways_run()) {
      for (const std::string& failure : stage_.start_failures()) {
        judge_.check("the world can be built", false, "everything starts", failure,
                     {scenario_.file, 1, 1});
        over_ = true;
      }
    }
    for (std::size_t i = 0; i < scenario_.steps.size() && !over_; ++i) {
      begin(scenario_.steps[i], i);
    }
    if (!over_) settle();
    if (!over_) finish();
    note_failure();
    collect();
  }

 private:
  /// Gateways that are not ours take their time to start; the scenario begins then.
  bool await_target() {
    stage_.await_target();
    setting_.begin();
    return !target_failed();
  }

  /// Whether the target is in no state to be judged: then the run is over.
  bool target_failed() {
    const StagedTarget* const target = stage_.target();
    if (target == nullptr) return false;
    if (!target->errors().empty()) {
      result_.errors = target->errors();
      result_.reason = target->errors().front().text();
    } else if (target->ended().size() > stage_.start_failures().size()) {
      result_.reason = "in the middle of it " + target->ended().back();
      result_.errors = {{{}, result_.reason, {.file = scenario_.file}}};
    } else {
      return false;
    }
    result_.outcome = Outcome::Error;
    over_ = true;
    return true;
  }

  /// A step whose requests are under way.
  struct Pending {
    const Step* step;
    std::size_t index;
    std::vector<Exchange*> exchanges;
    world::TimePoint begun;
    std::size_t ended = 0;  // so many from the first on have ended
  };

  world::TimePoint now() { return setting_.now(); }
  static std::string name_of(std::size_t index) { return fmt::format("steps/{}", index); }

  /// Then one that does not start is no surprise.
  bool asks_whether_gateways_run() const {
    return std::any_of(scenario_.steps.begin(), scenario_.steps.end(), [](const Step& step) {
      if (!step.expect) return false;
      const auto& counts = step.expect->counts;
      return std::any_of(counts.begin(), counts.end(),
                         [](const auto& count) { return count.what.field == "running"; });
    });
  }

  // --- Steps ---

  void begin(const Step& step, std::size_t index) {
    if (step.at) {
      if (setting_.at(*step.at) < now() && !live_) {
        judge_.check(name_of(index) + "/at", false, duration_text(*step.at),
                     "it is already " + duration_text(setting_.since_begin(now())), step.place);
        over_ = true;
        return;
      }
      pass_time([] { return false; }, std::max(setting_.at(*step.at), now()));
    } else {
      settle();
      if (step.wait && !over_) pass_time([] { return false; }, now() + *step.wait);
    }
    if (over_) return;
    setting_.trace().record({now(), world::TraceKind::Step, 0, 0, index, 0, name_of(index)});

    if (step.fault && !begin_fault(*step.fault, name_of(index))) return;
    if (!step.set.empty()) stage_.set(step.set);
    if (step.call) call(*step.call, step, name_of(index));
    Pending pending{&step, index, {}, now(), 0};
    if (step.expect) {
      for (const TurnExpectation& turn : step.expect->turns) begin_turn(turn, name_of(index));
    }
    if (step.request) send(*step.request, pending);
    if (step.raw) write(*step.raw, pending);
    if (step.registration) {
      stage_.balancer(step.registration->balancer).apply(*step.registration);
    }
    if (!step.request && !step.raw) {
      if (step.until) await(*step.until, name_of(index));
      if (step.expect && !over_) judge_in_time(pending);
      return;
    }
    // A step with a time of its own that asks for nothing does not hold up the others.
    if (step.expect || !step.at) pending_.push_back(std::move(pending));
  }

  bool begin_fault(const Fault& fault, const std::string& where) {
    if (!fault.ends_at || setting_.at(*fault.ends_at) > now()) {
      faults_.begin(fault);
      return true;
    }
    judge_.check(where + "/until", false, duration_text(*fault.ends_at),
                 "it is already " + duration_text(setting_.since_begin(now())), fault.ends_place);
    over_ = true;
    return false;
  }

  /// Lets the world go on until that holds, and judges when it did.
  void await(const Until& until, const std::string& where) {
    const world::TimePoint begun = now();
    const auto holds = [&] {
      return std::all_of(until.counts.begin(), until.counts.end(), [this](const auto& count) {
        const auto seen = stage_.count(count.what);
        return seen && count.number.holds(*seen);
      });
    };
    const bool came = pass_time(holds, begun + until.latest.value_or(patience_) + slack_);
    if (over_) return;
    if (!came) {
      for (const CountExpectation& count : until.counts) judge_.count(where + "/until", count);
    } else if (!live_) {
      const Duration took = now() - begun;
      judge_.check(
          where + "/until", took >= until.earliest,
          fmt::format("{} after {} at the earliest", until.written, duration_text(until.earliest)),
          "after " + duration_text(took), until.place);
    }
    note_failure();
  }

  /// The control plane answers at once: what it keeps is not in this world.
  void call(const ApiCall& call, const Step& step, const std::string& where) {
    if (!api_) {
      api_.emplace(scenario_, setting_.calendar_start());
      judge_.check("the API takes the mesh", api_->problem().empty(), "it does",
                   api_->problem().empty() ? "it does" : api_->problem(), step.place);
    }
    const StagedApi::Outcome outcome =
        api_->call(call, setting_.calendar_start() + setting_.since_begin(now()));
    setting_.trace().record({now(), world::TraceKind::Note, 0, 0, 0, 0,
                             fmt::format("{} by {}: {} {}", call.operation, call.account,
                                         outcome.status, outcome.error)});
    if (step.answered) judge_.api(where, *step.answered, outcome);
    note_failure();
  }

  void send(const RequestAction& action, Pending& pending) {
    const auto policy = action.connections.value_or(stage_.policy_of(action.client));
    const auto [client, host] = stage_.client(action.client, policy, action.tls);
    const auto prepared = std::make_shared<const peers::PreparedRequest>(action.request);
    for (std::uint64_t i = 0; i < action.count; ++i) {
      Exchange& exchange = stage_.observer().add_request();
      exchange.brief = i >= kFull && !wants_each(pending);
      exchange.step = pending.index;
      exchange.group = action.name;
      exchange.is_grpc = action.is_grpc;
      exchange.is_websocket = action.request.websocket != nullptr;
      ObservedRequest& observed = exchange.observed;
      observed.client = action.client;
      observed.method = action.request.method;
      observed.url = action.url;
      observed.protocol = action.request.protocol == peers::Protocol::Http2 ? "HTTP/2" : "HTTP/1.1";
      observed.sent_at = now() + action.every * static_cast<std::int64_t>(i);
      pending.exchanges.push_back(&exchange);
      const auto go = [this, &exchange, client = &client, host = &host, prepared] {
        // Bound before it is sent: it may be on its way when send() returns.
        stage_.observer().bind(host->id(), client->counts().sent + 1, exchange);
        client->send(prepared);
      };
      observed.id = fmt::format("{}/{}", action.name.empty() ? action.client : action.name,
                                ++numbers_[action.name.empty() ? action.client : action.name]);
      if (i == 0 || action.every == Duration::zero()) {
        go();
      } else {
        setting_.loop().post_at(observed.sent_at, go, host.id());
      }
    }
  }

  void write(const RawAction& action, Pending& pending) {
    Exchange* exchange = nullptr;
    for (const auto& known : stage_.observer().exchanges()) {
      if (!action.on.empty() && known->raw && known->group == action.on) exchange = known.get();
    }
    if (exchange == nullptr) {
      exchange = &stage_.observer().add_raw();
      exchange->step = pending.index;
      exchange->group = action.name;
      exchange->observed.client = action.client;
      exchange->observed.id = fmt::format("{}/raw-{}", action.client, ++numbers_["raw"]);
      exchange->observed.method = "(raw)";
      exchange->observed.url = fmt::format("{}:{}", action.host, action.port);
      exchange->observed.sent_at = now();
      exchange->host = action.host;
      exchange->raw = std::make_unique<peers::RawConnection>(
          stage_.client_host(action.client), action.host, action.port, nullptr, action.source_port);
    }
    pending.exchanges.push_back(exchange);
    exchange->active_at = now();
    peers::RawConnection* raw = exchange->raw.get();
    Duration after{};
    for (const RawAction::Piece& piece : action.pieces) {
      if (exchange->answers.empty() && piece.bytes.rfind("HEAD ", 0) == 0) {
        exchange->head_answers = true;
      }
      after += piece.pause;
      later(after, [raw, &piece] { raw->send_repeated(piece.bytes, piece.times); });
    }
    switch (action.ending) {
      case RawAction::Ending::None:
        break;
      case RawAction::Ending::Finish:
        later(after, [raw] { raw->finish(); });
        break;
      case RawAction::Ending::Close:
        later(after, [raw] { raw->close(); });
        break;
      case RawAction::Ending::Reset:
        later(after, [raw] { raw->reset(); });
        break;
    }
    exchange->active_at += after;
  }

  template <class F>
  void later(Duration after, F&& f) {
    if (after == Duration::zero()) {
      f();
    } else {
      setting_.loop().post_at(now() + after, std::forward<F>(f));
    }
  }

  // --- Time ---

  /// Lets the world go on until `done`, or until that instant.
  bool pass_time(const std::function<bool()>& done, world::TimePoint until) {
    world::EventLoop& loop = setting_.loop();
    while (!done() && !over_) {
      if (loop.stuck()) return stuck();
      if (!setting_.step(until)) {
        judge_finished();
        return done();
      }
      after_event();
      if (target_failed()) return false;
      if (loop.tasks_run() > scenario_.limits.events) {
        return guard(fmt::format("more than {} events", scenario_.limits.events));
      }
    }
    return !over_;
  }

  /// Whether a host, or a thing such as "gateway/edge-1", is one that the window is of.
  bool selects_host(world::HostId host) {
    if (!window_ || window_->who.empty()) return true;
    const auto hosts = stage_.hosts(window_->who);
    return host == 0 || std::any_of(hosts.begin(), hosts.end(),
                                    [&](const world::World* each) { return each->id() == host; });
  }
  bool selects_thing(const std::string& thing) {
    if (!window_ || window_->who.empty()) return true;
    const std::string name = thing.substr(thing.find('/') + 1);
    if (name == window_->who) return true;
    const auto hosts = stage_.hosts(window_->who);
    return std::any_of(hosts.begin(), hosts.end(), [&](const world::World* each) {
      return setting_.host_name(each->id()) == name;
    });
  }

  /// The time that is asked for begins: what was so at the last look is what it begins with.
  void note_begin() {
    begun_ = true;
    result_.excerpt.before = series_->state([this](const std::string& of, const std::string& by) {
      return selects_thing(of) || (!by.empty() && selects_thing(by));
    });
  }

  void look() {
    if (window_ && !begun_ && now() >= window_->from) note_begin();
    series_->look(now(), on_change_);
  }

  void after_event() {
    if (series_) look();
    if (!turnings_.empty()) judge_turns();
    for (std::size_t i = 0; i < scenario_.always.size(); ++i) watch(i);
    if (!pending_.empty()) judge_finished();
  }

  bool stuck() {
    const world::EventLoop& loop = setting_.loop();
    return guard(
        fmt::format("time stands still at {}: more than {} events at one instant, most of "
                    "them on {}",
                    duration_text(setting_.since_begin(now())), scenario_.limits.instant,
                    setting_.host_name(loop.stuck_owner())));
  }

  bool guard(const std::string& why) {
    over_ = true;
    result_.reason = why;
    judge_.check("the world comes to an end", false, "it does", why, {scenario_.file, 1, 1});
    return false;
  }

  /// Waits until every step so far has been judged.
  void settle() {
    world::TimePoint limit = now() + patience_;
    for (const Turning& turning : turnings_) limit = std::max(limit, turning.latest);
    judge_finished();
    while (!all_judged() && !over_) {
      pass_time([this] { return all_judged(); }, limit);
      if (now() >= limit) {
        // Whatever has come by now is all: what is missing will be told by the checks.
        for (const Pending& pending : std::exchange(pending_, {})) judge(pending);
      }
    }
  }

  bool all_judged() const { return pending_.empty() && turnings_.empty(); }

  // --- Turns of health ---

  /// What is awaited of a health, and what was so when that began.
  struct Turning {
    const TurnExpectation* expected;
    std::string where;
    world::TimePoint begun, latest;
    /// Of each that has an opinion: its checks then, and since then at its own turn.
    struct Seen {
      std::uint64_t passed = 0, failed = 0;
      bool turned = false;
      std::uint64_t passed_since = 0, failed_since = 0;
    };
    std::map<std::string, Seen> seen{};
  };

  void begin_turn(const TurnExpectation& expected, const std::string& step) {
    const std::string where = step + "/" + expected.text();
    const Duration longest = expected.within ? expected.within->max : patience_;
    Turning turning{&expected, where, now(), now() + longest + slack_};
    const auto opinions = stage_.opinions(expected.kind, expected.name);
    for (const Stage::Opinion& opinion : opinions) {
      turning.seen[opinion.by] = {opinion.passed, opinion.failed};
    }
    if (agree(opinions, expected.healthy)) {
      judge_.check(where + "/turns", false, turn_text(expected),
                   fmt::format("it is {} already", expected.word()), expected.place);
      note_failure();
      return;
    }
    // An event at that instant, so that it is looked at again.
    setting_.loop().post_at(turning.latest, [] {});
    turnings_.push_back(std::move(turning));
  }

  static bool agree(const std::vector<Stage::Opinion>& opinions, bool healthy) {
    return !opinions.empty() &&
           std::all_of(opinions.begin(), opinions.end(),
                       [&](const Stage::Opinion& opinion) { return opinion.healthy == healthy; });
  }

  static std::string turn_text(const TurnExpectation& expected) {
    if (!expected.within) return std::string(expected.word());
    return fmt::format("{} within {}", expected.word(), expected.within->written);
  }

  void judge_turns() {
    for (std::size_t i = 0; i < turnings_.size();) {
      if (!over_turn(turnings_[i])) {
        ++i;
        continue;
      }
      turnings_.erase(turnings_.begin() + static_cast<std::ptrdiff_t>(i));
      note_failure();
    }
  }

  /// Looks at it once more, and judges it if it has turned or its time is over.
  bool over_turn(Turning& turning) {
    const TurnExpectation& expected = *turning.expected;
    const auto opinions = stage_.opinions(expected.kind, expected.name);
    for (const Stage::Opinion& opinion : opinions) {
      Turning::Seen& seen = turning.seen[opinion.by];
      // A gateway that was restarted counts anew.
      if (opinion.passed < seen.passed || opinion.failed < seen.failed) seen = {};
      if (opinion.healthy == expected.healthy && !seen.turned) {
        seen.passed_since = opinion.passed - seen.passed;
        seen.failed_since = opinion.failed - seen.failed;
      }
      seen.turned = opinion.healthy == expected.healthy;
    }
    const Duration took = now() - turning.begun;
    const std::string name = turning.where + "/turns";
    if (!agree(opinions, expected.healthy)) {
      if (now() < turning.latest) return false;
      judge_.check(name, false, turn_text(expected),
                   opinions.empty() ? "nobody checks it"
                                    : fmt::format("it is {} after {}",
                                                  expected.healthy ? "unhealthy" : "healthy",
                                                  duration_text(took)),
                   expected.place);
      return true;
    }
    const bool in_time = live_ || !expected.within || expected.within->holds(took);
    judge_.check(name, in_time, turn_text(expected),
                 fmt::format("{} after {}", expected.word(), duration_text(took)), expected.place);
    for (const Stage::Opinion& opinion : opinions) {
      const Turning::Seen& seen = turning.seen[opinion.by];
      const auto judge = [&](const auto& wanted, std::string_view word, std::uint64_t count) {
        if (!wanted) return;
        judge_.check(fmt::format("{}/after/{} by {}", turning.where, word, opinion.by),
                     wanted->holds(static_cast<std::int64_t>(count)), wanted->written,
                     std::to_string(count), wanted->place);
      };
      judge(expected.failed_checks, "failedChecks", seen.failed_since);
      judge(expected.passed_checks, "passedChecks", seen.passed_since);
    }
    return true;
  }

  // --- Judging ---

  void judge_finished() {
    for (std::size_t i = 0; i < pending_.size();) {
      if (!finished(pending_[i])) {
        ++i;
        continue;
      }
      Pending pending = std::move(pending_[i]);
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
      judge(pending);
    }
  }

  bool finished(Pending& pending) {
    for (; pending.ended < pending.exchanges.size(); ++pending.ended) {
      Exchange& exchange = *pending.exchanges[pending.ended];
      if (exchange.raw ? !raw_finished(pending, exchange) : !exchange.ended_at) return false;
      if (!stage_.observer().all_told(exchange)) return false;
    }
    return true;
  }

  /// Whether some step looks at each request of the group by itself.
  bool wants_each(const Pending& pending) const {
    if (pending.step->expect && pending.step->expect->group && pending.step->expect->group->each) {
      return true;
    }
    const std::string& name = pending.step->request->name;
    return std::any_of(scenario_.steps.begin(), scenario_.steps.end(), [&](const Step& step) {
      if (!step.expect) return false;
      const auto& groups = step.expect->named_groups;
      return std::any_of(groups.begin(), groups.end(), [&](const auto& group) {
        return group.first == name && group.second.each;
      });
    });
  }

  static bool ended(const peers::RawConnection& raw) {
    return raw.state() == peers::RawConnection::State::Ended ||
           raw.ending() != peers::RawConnection::Ending::None;
  }

  /// Whether everything that is asked of the connection may have come, silence apart.
  static bool has_all(const Pending& pending, const Exchange& exchange) {
    if (!pending.step->expect || !pending.step->expect->request) return true;
    const RequestExpectation& expected = *pending.step->expect->request;
    if (expected.closed && expected.closed->closed) return false;
    const bool any = expected.status || expected.body || !expected.headers.empty() ||
                     (expected.answer && !expected.answer->absent);
    const std::size_t wanted = expected.has_answers ? expected.answers.size() : any ? 1 : 0;
    return exchange.answers.size() >= wanted;
  }

  bool raw_finished(const Pending& pending, Exchange& exchange) {
    const peers::RawConnection& raw = *exchange.raw;
    const auto last = raw.received().empty() ? exchange.active_at : raw.last_byte_at();
    exchange.active_at = std::max(exchange.active_at, last);
    exchange.answers = answers_in(raw.received(), exchange.head_answers, ended(raw));
    if (ended(raw)) return true;
    if (!pending.step->raw->wait && !has_all(pending, exchange)) return false;
    const world::TimePoint due = pending.step->raw->wait ? pending.begun + *pending.step->raw->wait
                                                         : exchange.active_at + kQuiet;
    if (now() >= due) return true;
    // An event at that instant, so that it is looked at again.
    if (exchange.look_at != due) setting_.loop().post_at(due, [] {});
    exchange.look_at = due;
    return false;
  }

  std::vector<const Exchange*> group(const std::string& name) {
    std::vector<const Exchange*> found;
    for (const auto& exchange : stage_.observer().exchanges()) {
      if (exchange->group == name) found.push_back(exchange.get());
    }
    return found;
  }

  /// Judges what must be seen by now. No instant is exact in the real world: there, what is not to
  /// be seen yet is waited for a little.
  void judge_in_time(const Pending& pending) {
    const world::TimePoint until = now() + slack_;
    judge_.set_tries(true);
    while (true) {
      const std::size_t before = result_.checks.size();
      const std::uint64_t unjudged = result_.unjudged_times;
      const bool first_failure = result_.timeline.empty();
      judge(pending);
      const auto begin = result_.checks.begin() + static_cast<std::ptrdiff_t>(before);
      const bool held =
          std::all_of(begin, result_.checks.end(), [](const Check& check) { return check.passed; });
      if (held || over_ || now() >= until) {
        judge_.set_tries(false);
        judge_.tell(before);
        return;
      }
      result_.checks.erase(begin, result_.checks.end());
      result_.unjudged_times = unjudged;
      if (first_failure) result_.timeline.clear();
      if (setting_.step(until)) {
        after_event();
      } else {
        judge_finished();
      }
    }
  }

  void judge(const Pending& pending) {
    if (!pending.step->expect) return;
    const Expectation& expected = *pending.step->expect;
    const std::string where = name_of(pending.index);
    for (Exchange* exchange : pending.exchanges) {
      if (exchange->raw) {
        exchange->answers =
            answers_in(exchange->raw->received(), exchange->head_answers, ended(*exchange->raw));
        exchange->observed.failure =
            failure_of(*exchange->raw, exchange->host, exchange->head_answers);
        if (!exchange->answers.empty()) {
          exchange->observed.answered_at = exchange->raw->first_byte_at();
        }
      }
    }
    if (expected.request) {
      for (std::size_t i = 0; i < pending.exchanges.size(); ++i) {
        const std::string each =
            pending.exchanges.size() == 1 ? where : fmt::format("{}/{}", where, i + 1);
        judge_.request(each, *expected.request, *pending.exchanges[i]);
      }
    }
    if (expected.group) {
      judge_.group(where, *expected.group, {pending.exchanges.begin(), pending.exchanges.end()});
    }
    for (const auto& [name, request] : expected.named_requests) {
      for (const Exchange* exchange : group(name)) {
        judge_.request(where + "/" + name, request, *exchange);
      }
    }
    for (const auto& [name, numbers] : expected.named_groups) {
      judge_.group(where + "/" + name, numbers, group(name));
    }
    for (const CountExpectation& count : expected.counts) judge_.count(where, count);
    for (const LogExpectation& log : expected.logs) judge_.log(where, log);
    for (const BalancerExpectation& balancer : expected.balancers) {
      judge_.balancer(where, balancer);
    }
    note_failure();
  }

  /// Checks one line of `always`; a breach is told once, at its instant.
  void watch(std::size_t i) {
    const Invariant& invariant = scenario_.always[i];
    if (breached_.count(i) != 0) return;
    std::string actual;
    if (invariant.kind == Invariant::Kind::AnsweredOnce) {
      const Exchange* twice = stage_.observer().ended_twice();
      if (twice != nullptr) actual = twice->observed.id + " was answered twice";
    } else {
      const auto left = stage_.count(invariant.left);
      const auto right = invariant.right ? stage_.count(*invariant.right)
                                         : std::optional<std::int64_t>(invariant.number);
      if (!left || !right) {
        actual = "there is no such number";
      } else if (!compare(*left, invariant.comparison, *right)) {
        actual = std::to_string(*left);
        if (invariant.right) actual += fmt::format(", and {}", *right);
      }
    }
    if (actual.empty()) return;
    breached_.insert(i);
    judge_.check("always", false, invariant.written, actual, invariant.place);
    note_failure();
  }

  /// What holds of every scenario without being asked: TF-05.
  void finish() {
    const auto all_ended = [this] { return stage_.observer().open_requests() == 0; };
    pass_time(all_ended, now() + patience_);
    std::vector<std::string> wrong;
    for (const auto& exchange : stage_.observer().exchanges()) {
      if (exchange->raw || exchange->outcomes == 1) continue;
      wrong.push_back(fmt::format("{} was {}", exchange->observed.id,
                                  exchange->outcomes == 0 ? "never answered" : "answered twice"));
    }
    for (std::size_t i = 0; i < scenario_.always.size(); ++i) {
      const Invariant& invariant = scenario_.always[i];
      if (breached_.count(i) == 0 && invariant.kind == Invariant::Kind::Compare) {
        judge_.check("always", true, invariant.written, "held", invariant.place);
      }
    }
    judge_.check(kAnsweredOnce, wrong.empty(), kAnsweredOnce,
                 wrong.empty() ? kAnsweredOnce : fmt::format("{}", fmt::join(wrong, ", ")),
                 {scenario_.file, 1, 1});
  }

  /// Keeps the timeline as it stood at the first failure.
  void note_failure() {
    if (!result_.timeline.empty()) return;
    const bool failed = std::any_of(result_.checks.begin(), result_.checks.end(),
                                    [](const Check& check) { return !check.passed; });
    if (failed) result_.timeline = stage_.observer().timeline();
  }

  void count_from_begin(ObservedRequest& observed) const {
    const auto set = [this](world::TimePoint& at) {
      at = world::TimePoint(setting_.since_begin(at));
    };
    set(observed.sent_at);
    if (observed.answered_at) set(*observed.answered_at);
    if (observed.ended_at) set(*observed.ended_at);
    for (ObservedRequest::Seen& seen : observed.seen) set(seen.at);
  }

  void collect() {
    for (const auto& exchange : stage_.observer().exchanges()) {
      if (exchange->brief) continue;
      ObservedRequest observed = exchange->observed;
      if (exchange->raw && !exchange->answers.empty()) {
        const Answer& first = exchange->answers.front();
        observed.status = first.status;
        observed.response_headers = first.headers;
        observed.response_body = first.body.substr(0, 4096);
      }
      count_from_begin(observed);
      if (observed.response_flags.empty()) observed.response_flags = exchange->flags;
      result_.requests.push_back(std::move(observed));
    }
    const bool passed = std::all_of(result_.checks.begin(), result_.checks.end(),
                                    [](const Check& check) { return check.passed; });
    if (result_.outcome == Outcome::Error) return;
    result_.outcome = passed ? conformance::Outcome::Passed : conformance::Outcome::Failed;
    result_.simulated = setting_.since_begin(now());
    result_.events = setting_.trace().events();
    if (!live_) result_.trace_hash = setting_.trace().hash().text();
    if (!series_) return;
    look();
    result_.series = series_->json(now());
    result_.excerpt.events = stage_.observer().within(result_.excerpt.left_out);
  }

  const Scenario& scenario_;
  RunResult& result_;
  Setting& setting_;
  const bool live_;
  const Duration slack_;
  const Duration patience_;
  Stage stage_;
  Faults faults_;
  Judge judge_;
  std::vector<Pending> pending_;
  std::vector<Turning> turnings_;
  std::map<std::string, std::uint64_t> numbers_;
  std::set<std::size_t> breached_;
  std::optional<StagedApi> api_;  // absent: nobody has called it yet
  std::optional<Series> series_;  // absent: nobody asked for it
  const Series::OnChange on_change_ = [this](const std::string& of, const std::string& by,
                                             const std::string& what) {
    stage_.observer().changed(of, by, what);
  };
  std::optional<Window> window_;
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace

namespace {

sim::SimulationOptions simulation_options(const Scenario& scenario, std::uint64_t seed) {
  sim::SimulationOptions options;
  options.seed = seed;
  options.default_link = scenario.world.default_link;
  options.instant_limit = scenario.limits.instant;
  return options;
}

void skip(RunResult& result, std::string why) {
  result.outcome = Outcome::Skipped;
  result.reason = std::move(why);
}

void run_live(const Scenario& scenario, const RunOptions& all, RunResult& result) {
  const LiveOptions& options = *all.live;
  auto why = cannot_show_live(scenario);
  if (!why && options.target != nullptr) why = options.target->cannot_show(scenario);
  if (why) return skip(result, std::move(*why));
  const Duration span = run(scenario, {.seed = result.seed}).simulated;
  if (const Duration real = span / options.time_scale; real > options.limit) {
    return skip(result, fmt::format("takes {} of real time, the limit is {}", duration_text(real),
                                    duration_text(options.limit)));
  }
  auto setting = LiveSetting::open({.seed = result.seed,
                                    .time_scale = options.time_scale,
                                    .waits_for_loop = options.target == nullptr});
  if (!setting) {
    result.outcome = Outcome::Error;
    result.reason = setting.error().text();
    result.errors = {setting.error()};
    return;
  }
  std::optional<StagedTarget::Parts> target;
  if (options.target != nullptr) {
    target.emplace(StagedTarget::Parts{*options.target, **setting, options.time_scale});
  }
  Run(scenario, **setting, result, all, span + kPatience * options.time_scale,
      kSlack * options.time_scale, target)
      .run();
}

}  // namespace

RunResult run(const Scenario& scenario, const RunOptions& options) {
  RunResult result;
  result.id = scenario.id;
  result.title = scenario.title;
  result.file = scenario.file;
  result.digest = scenario.digest;
  result.clauses = scenario.clauses;
  result.variant = scenario.variant;
  result.era = mesh::text(scenario.era);
  result.seed = options.seed.value_or(scenario.seed);
  result.replay = fmt::format("meshproof run {} --seed {}", shell_word(scenario.file), result.seed);
  if (options.live) {
    result.replay += fmt::format(
        " --target {}", options.live->target != nullptr ? options.live->target->name() : "gateway");
    if (options.live->time_scale != 1) {
      result.replay += fmt::format(" --time-scale {}", options.live->time_scale);
    }
  }
  // Only a variant is not alone in its file.
  if (!scenario.variant.empty()) result.replay += " --filter " + shell_word(scenario.id);
  if (scenario.refused && !options.live) {
    // Nothing to run: the mesh itself is what is judged.
    Judge::refusal(*scenario.refused, scenario.mesh_errors, result.checks);
    const bool passed = std::all_of(result.checks.begin(), result.checks.end(),
                                    [](const Check& check) { return check.passed; });
    result.outcome = passed ? Outcome::Passed : Outcome::Failed;
    result.trace_hash = world::Trace().hash().text();
    return result;
  }
  if (options.live) {
    run_live(scenario, options, result);
  } else {
    SimSetting setting(simulation_options(scenario, result.seed));
    Run(scenario, setting, result, options).run();
    // What passes pays nothing for it; what fails shows it too.
    if (result.outcome == Outcome::Failed && !options.series && result.events <= kMostToRepeat) {
      RunOptions again = options;
      again.series = true;
      return run(scenario, again);
    }
  }
  return result;
}

RunResult bad_file_result(const std::string& file, const std::string& id, const std::string& title,
                          const std::string& digest, const world::Errors& errors) {
  RunResult result;
  result.id = id;
  result.title = title;
  result.file = file;
  result.digest = digest;
  result.outcome = Outcome::Error;
  result.errors = errors;
  result.replay = "meshproof lint " + shell_word(file);
  return result;
}

}  // namespace conformance
