// HTTP/2 on both sides: clients with many streams -> gateway (both hops) -> service, 1 ms apart.
//
//   http2 [REQUESTS] [STREAMS] [CONNECTIONS]      100,000 requests, 64 streams on 1 connection
//
// The two ends are bare sessions, so that what is counted is the gateway and the codec.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/chain_world.h"
#include "bench/cpu_time.h"
#include "wire/http2/session.h"

namespace bench {
namespace {

/// A connection with a session on it: writes what the session has to say after each event.
class Http2End : public world::TransportEvents, protected wire::http2::SessionEvents {
 public:
  explicit Http2End(wire::http2::Session::Role role) : session_(role, {}, *this) {}

 protected:
  void on_data(std::string_view bytes) override {
    session_.feed(bytes);
    on_output();
  }
  void on_end() override {}
  void on_error(std::error_code) override {}
  void on_output() override {
    out_.clear();
    session_.take_output(out_);
    if (!out_.empty()) transport_->write(out_);
  }
  bool takes_output() const override { return true; }
  void on_goaway(std::int32_t, wire::http2::ErrorCode) override {}
  wire::http2::Stream& on_stream() override { std::abort(); }

  std::unique_ptr<world::Transport> transport_;
  wire::http2::Session session_;
  std::string out_;
};

/// Sends its next request when a stream has its answer.
class Client final : public Http2End {
 public:
  Client(world::World& world, std::uint64_t requests, std::uint64_t streams)
      : Http2End(wire::http2::Session::Role::Client), left_(requests), streams_(streams) {
    head_.method = "GET";
    head_.target = "/api/items/42";
    head_.headers.add(wire::HeaderName::Host, "gw.example.com");
    transport_ = world.connect(kFront, *this);
  }
  std::uint64_t answered() const { return answered_; }

 private:
  class Asked final : public wire::http2::Stream {
   public:
    explicit Asked(Client& client) : client_(client) {}
    wire::ResponseHead& response_head() override { return head_; }
    void on_head(bool) override {}
    void on_data(std::string_view bytes, bool) override { bytes_ += bytes.size(); }
    void on_trailers(wire::HeaderMap&) override {}
    void on_closed(const wire::http2::StreamEnd& end) override {
      if (!end.reset && head_.status == 200 && bytes_ == 64) ++client_.answered_;
      client_.next(*this);
    }
    Client& client_;
    wire::ResponseHead head_;
    std::size_t bytes_ = 0;
  };

  void on_connected() override {
    for (std::uint64_t i = 0; i < streams_; ++i) send();
  }
  void send() {
    if (left_ == 0) return;
    --left_;
    asked_.push_back(std::make_unique<Asked>(*this));
    session_.send_request(*asked_.back(), head_, true);
  }
  void next(Asked& done) {
    std::erase_if(done_, [](const auto&) { return true; });
    for (auto& asked : asked_) {
      if (asked.get() != &done) continue;
      std::swap(asked, asked_.back());
      done_.push_back(std::move(asked_.back()));
      asked_.pop_back();
      break;
    }
    send();
  }

  wire::RequestHead head_;
  std::uint64_t left_;
  std::uint64_t streams_;
  std::uint64_t answered_ = 0;
  std::vector<std::unique_ptr<Asked>> asked_;
  std::vector<std::unique_ptr<Asked>> done_;  // until the next event
};

/// Answers each request with 200 and 64 bytes.
class Service final : private world::AcceptEvents {
 public:
  explicit Service(world::World& world) {
    auto listener = world.listen({0, 8080}, *this);
    if (!listener) throw std::runtime_error(listener.error().text());
    listener_ = std::move(*listener);
  }

 private:
  class Connection final : public Http2End {
   public:
    explicit Connection(std::unique_ptr<world::Transport> transport)
        : Http2End(wire::http2::Session::Role::Server) {
      transport_ = std::move(transport);
      transport_->set_events(*this);
      answer_.add("content-length", "64");
      on_output();
    }

   private:
    class Seen final : public wire::http2::Stream {
     public:
      explicit Seen(Connection& connection) : connection_(connection) {}
      wire::RequestHead& request_head() override { return head_; }
      void on_head(bool) override {
        connection_.session_.send_response(*this, 200, connection_.answer_, false);
        send_data(connection_.body_, true);
      }
      void on_data(std::string_view, bool) override {}
      void on_trailers(wire::HeaderMap&) override {}
      void on_closed(const wire::http2::StreamEnd&) override { connection_.free_.push_back(this); }
      Connection& connection_;
      wire::RequestHead head_;
    };

    wire::http2::Stream& on_stream() override {
      for (const Seen* done : free_) {
        for (auto& seen : seen_) {
          if (seen.get() != done) continue;
          std::swap(seen, seen_.back());
          seen_.pop_back();
          break;
        }
      }
      free_.clear();
      seen_.push_back(std::make_unique<Seen>(*this));
      return *seen_.back();
    }

    wire::HeaderMap answer_;
    std::string body_ = std::string(64, 'x');
    std::vector<std::unique_ptr<Seen>> seen_;
    std::vector<Seen*> free_;
  };

  void on_accept(std::unique_ptr<world::Transport> transport) override {
    connections_.push_back(std::make_unique<Connection>(std::move(transport)));
  }

  std::unique_ptr<world::Listener> listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

int run(std::uint64_t requests, std::uint64_t streams, std::uint64_t connections) {
  const double start = cpu_seconds();
  sim::Simulation simulation;
  sim::Host& gateway_host = simulation.add_host("gateway");
  sim::Host& service_host = simulation.add_host("items-1.shop.local");
  sim::Host& client_host = simulation.add_host("client");
  Service service(service_host);
  proxy::Gateway gateway(gateway_host, chain_plan("http2"));
  if (const auto started = gateway.start(); !started) {
    throw std::runtime_error(started.error().text());
  }
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 0; i < connections; ++i) {
    clients.push_back(std::make_unique<Client>(client_host, requests / connections, streams));
  }
  const auto answered = [&] {
    std::uint64_t all = 0;
    for (const auto& client : clients) all += client->answered();
    return all;
  };
  while (answered() < requests / connections * connections && simulation.loop().run_one()) {
  }
  const double cpu = cpu_seconds() - start;
  fmt::print("http2 connections={} streams={} reqs={} cpu={:.3f}s rps={:.0f} hash={}\n",
             connections, streams, answered(), cpu, static_cast<double>(answered()) / cpu,
             simulation.trace().hash().text());
  return answered() == requests / connections * connections ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
  const auto number = [&](int i, std::uint64_t otherwise) {
    return count > i ? std::strtoull(words[i], nullptr, 10) : otherwise;
  };
  return bench::run(number(1, 100'000), number(2, 64), number(3, 1));
}
