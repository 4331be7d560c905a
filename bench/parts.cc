// Parts of the simulator, each by itself. Run: bin/parts [--benchmark_filter=Timers]

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/simulation.h"
#include "wire/headers.h"
#include "wire/http1/parser.h"
#include "wire/http1/serializer.h"
#include "world/event_loop.h"
#include "world/random.h"
#include "world/timer.h"
#include "world/trace.h"

namespace {

using namespace std::chrono_literals;

/// A timer that starts itself again, after 1 to 1024 microseconds.
struct Again {
  Again(world::EventLoop& loop, std::uint64_t seed)
      : state(seed * 2 + 1), timer(loop, 1, world::bind<&Again::due>(this)) {
    due();
  }
  void due() {
    state = state * 6364136223846793005U + 1442695040888963407U;
    timer.start_after(world::Duration(1000 + (state >> 44)));
  }
  std::uint64_t state;
  world::Timer timer;
};

/// One item is one timer that fires and is started again while so many others wait.
void Timers(benchmark::State& state) {
  world::EventLoop loop;
  std::vector<std::unique_ptr<Again>> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    timers.push_back(std::make_unique<Again>(loop, static_cast<std::uint64_t>(i)));
  }
  for (auto _ : state) loop.run_one();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Timers)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)->MinTime(2);

/// A timer that is always moved before it fires, as idle timeouts are.
void TimerRestart(benchmark::State& state) {
  world::EventLoop loop;
  world::Timer timer(loop, 1, {&loop, [](void*) {}});
  for (auto _ : state) timer.start_after(1h);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TimerRestart);

void TraceRecord(benchmark::State& state) {
  world::Trace trace;
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  std::int64_t time = 0;
  for (auto _ : state) {
    trace.record(
        {world::TimePoint(world::Duration(++time)), world::TraceKind::Data, 1, 2, 3, 4, text});
  }
  benchmark::DoNotOptimize(trace.hash());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TraceRecord)->Arg(0)->Arg(64)->Arg(200)->Arg(1460);

void RandomBelow(benchmark::State& state) {
  world::Random random(1);
  for (auto _ : state) benchmark::DoNotOptimize(random.below(1000));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RandomBelow);

void RandomFork(benchmark::State& state) {
  const world::Random random(1);
  for (auto _ : state) benchmark::DoNotOptimize(random.fork("10.0.0.1>10.0.0.2").seed());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RandomFork);

/// Sends back whatever comes.
struct Echo final : world::TransportEvents, world::AcceptEvents {
  void on_accept(std::unique_ptr<world::Transport> accepted) override {
    transport = std::move(accepted);
    transport->set_events(*this);
  }
  void on_data(std::string_view bytes) override { transport->write(bytes); }
  void on_end() override {}
  void on_error(std::error_code) override {}
  std::unique_ptr<world::Transport> transport;
};

/// One item is one segment of that many bytes: written, carried, traced and read.
void SegmentDelivery(benchmark::State& state) {
  sim::Simulation simulation;
  sim::Host& one = simulation.add_host("one");
  sim::Host& other = simulation.add_host("other");
  Echo client;
  Echo server;
  const auto listener = other.listen({0, 80}, server);
  client.transport = one.connect({other.address(), 80}, client);
  client.transport->write(std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  for (auto _ : state) simulation.loop().run_one();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SegmentDelivery)->Arg(64)->Arg(200)->Arg(1460);

/// A connection from its SYN to the last FIN.
void ConnectAndClose(benchmark::State& state) {
  struct Ends final : world::TransportEvents, world::AcceptEvents {
    void on_accept(std::unique_ptr<world::Transport> accepted) override {
      transport = std::move(accepted);
      transport->set_events(*this);
    }
    void on_data(std::string_view) override {}
    void on_end() override { transport.reset(); }
    void on_error(std::error_code) override {}
    std::unique_ptr<world::Transport> transport;
  };
  sim::Simulation simulation;
  sim::Host& one = simulation.add_host("one");
  sim::Host& other = simulation.add_host("other");
  Ends client;
  Ends server;
  const auto listener = other.listen({0, 80}, server);
  for (auto _ : state) {
    client.transport = one.connect({other.address(), 80}, client);
    client.transport->finish();
    simulation.run();
    client.transport.reset();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ConnectAndClose);

/// A world of three hosts, made and dropped.
void EmptyWorld(benchmark::State& state) {
  for (auto _ : state) {
    sim::Simulation simulation;
    simulation.add_host("client");
    simulation.add_host("gateway");
    simulation.add_host("service");
    benchmark::DoNotOptimize(simulation.trace().hash());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(EmptyWorld);

constexpr std::string_view kRequest =
    "GET /api/items/42 HTTP/1.1\r\nhost: gw.example.com\r\nx-forwarded-proto: http\r\n"
    "x-request-id: 6f1c6f4e-5d0b-9a6e-8f0b-0123456789ab\r\n"
    "x-envoy-expected-rq-timeout-ms: 15000\r\n\r\n";

/// A head of five lines, as between the hops.
void ParseRequest(benchmark::State& state) {
  struct Ignore final : wire::http1::RequestParser::Events {
    void on_head(wire::http1::RequestHead&) override {}
    void on_body(std::string_view) override {}
    void on_complete() override {}
  } events;
  wire::http1::RequestParser parser;
  auto head = std::make_unique<wire::http1::RequestHead>();
  for (auto _ : state) {
    parser.lend(std::move(head));
    benchmark::DoNotOptimize(parser.feed(kRequest, events));
    head = parser.take_head();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ParseRequest);

void SerializeRequest(benchmark::State& state) {
  wire::HeaderMap headers;
  headers.add(wire::HeaderName::Host, "gw.example.com");
  headers.add(wire::HeaderName::ForwardedProto, "http");
  headers.add(wire::HeaderName::RequestId, "6f1c6f4e-5d0b-9a6e-8f0b-0123456789ab");
  headers.add(wire::HeaderName::EnvoyExpectedTimeout, "15000");
  std::string out;
  for (auto _ : state) {
    out.clear();
    wire::http1::append_request_head(out, "GET", "/api/items/42", headers);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SerializeRequest);

}  // namespace
