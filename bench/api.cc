// The control plane's API. Run: bin/api_bench http [calls], bin/api_bench alone [calls],
// bin/api_bench list [resources]
//
// http: one connection to a server in this process, client and server both counted. alone: the
// calls without HTTP. list: a mesh's nodes page by page, and a tenth of them for comparison.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "control/server.h"
#include "cpu_time.h"
#include "mesh/api/json.h"
#include "mesh/api/memory_store.h"

namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using mesh::api::Json;

constexpr std::string_view kGateway =
    R"({"virtualGatewayName":"edge","spec":{"listeners":[{"portMapping":{"port":9080,"protocol":"http"}}]}})";
constexpr std::string_view kGatewaySpec =
    R"({"spec":{"listeners":[{"portMapping":{"port":9080,"protocol":"http"}}]}})";

struct Ask {
  std::string_view method;
  std::string target;
  std::string_view body;
};

/// A gateway's life, over and over: create, three looks, update, list, delete.
Ask ask(std::uint64_t number) {
  const std::string all = "/v20190125/meshes/shop/virtualGateways";
  switch (number % 7) {
    case 0:
      return {"PUT", all, kGateway};
    case 4:
      return {"PUT", all + "/edge", kGatewaySpec};
    case 5:
      return {"GET", all, ""};
    case 6:
      return {"DELETE", all + "/edge", ""};
    default:
      return {"GET", all + "/edge", ""};
  }
}

mesh::api::Response call_alone(mesh::api::Store& store, const mesh::api::Options& options,
                               const Ask& call) {
  return mesh::api::answer(store, options,
                           {.method = call.method,
                            .target = call.target,
                            .body = call.body,
                            .account = "123456789012",
                            .now = world::CalendarTime(std::chrono::seconds(1'800'000'000))});
}

/// Measures what `work` costs in wall and processor time.
template <class Work>
void report(std::string_view what, std::uint64_t calls, Work work) {
  const double cpu = bench::cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu_took = bench::cpu_seconds() - cpu;
  fmt::print("{}: calls={} wall_s={:.3f} cpu_s={:.3f} calls_per_s={:.0f} calls_per_cpu_s={:.0f}\n",
             what, calls, took.count(), cpu_took, static_cast<double>(calls) / took.count(),
             static_cast<double>(calls) / cpu_took);
}

const Ask kMakeShop{"PUT", "/v20190125/meshes", R"({"meshName":"shop"})"};

void expect_good(int status) {
  if (status == 200) return;
  fmt::print("a call was answered with {}\n", status);
  std::exit(1);
}

void alone(std::uint64_t calls) {
  mesh::api::MemoryStore store;
  const mesh::api::Options options;
  call_alone(store, options, kMakeShop);
  report("alone", calls, [&] {
    for (std::uint64_t i = 0; i < calls; ++i)
      expect_good(call_alone(store, options, ask(i)).status);
  });
}

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(io_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    socket_.set_option(tcp::no_delay(true));
  }

  int call(const Ask& call) {
    http::request<http::string_body> request(
        http::string_to_verb({call.method.data(), call.method.size()}), call.target, 11);
    request.set(http::field::host, "127.0.0.1");
    request.body() = call.body;
    request.prepare_payload();
    http::write(socket_, request);
    http::response<http::string_body> response;
    http::read(socket_, buffer_, response);
    return static_cast<int>(response.result_int());
  }

 private:
  boost::asio::io_context io_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

void over_http(std::uint64_t calls) {
  mesh::api::MemoryStore store;
  control::ServerOptions options;
  options.port = 0;
  control::Server server(store, std::move(options));
  const std::uint16_t port = server.start().value();
  std::thread serving([&] { server.run(); });
  Connection connection(port);
  expect_good(connection.call(kMakeShop));
  report("http", calls, [&] {
    for (std::uint64_t i = 0; i < calls; ++i) expect_good(connection.call(ask(i)));
  });
  static_cast<void>(std::raise(SIGTERM));
  serving.join();
}

void list(std::uint64_t resources) {
  mesh::api::MemoryStore store;
  mesh::api::Options options;
  options.quotas.reset();
  call_alone(store, options, kMakeShop);
  const std::string nodes = "/v20190125/meshes/shop/virtualNodes";
  for (std::uint64_t i = 0; i < resources; ++i) {
    const std::string body =
        fmt::format(R"({{"virtualNodeName":"node-{}","spec":{{"listeners":[]}}}})", i);
    expect_good(call_alone(store, options, {"PUT", nodes, body}).status);
  }
  const std::uint64_t pages = (resources + 99) / 100;
  std::uint64_t listed = 0;
  report(fmt::format("list of {}", resources), pages, [&] {
    std::string next;
    do {
      const auto page = call_alone(store, options, {"GET", nodes + next, ""});
      expect_good(page.status);
      const Json json = Json::parse(page.body);
      listed += json["virtualNodes"].size();
      next = json.contains("nextToken") ? "?nextToken=" + json["nextToken"].get<std::string>() : "";
    } while (!next.empty());
  });
  if (listed != resources) expect_good(500);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto count = [&](std::uint64_t unless_said) {
    return argc > 2 ? std::strtoull(argv[2], nullptr, 10) : unless_said;
  };
  if (what == "http") {
    over_http(count(50'000));
  } else if (what == "alone") {
    alone(count(100'000));
  } else if (what == "list") {
    list(count(100'000) / 10);
    list(count(100'000));
  } else {
    fmt::print("usage: api_bench http|alone|list [count]\n");
    return 4;
  }
  return 0;
}
