#include "control/server.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "control/signature.h"
#include "control/throttle.h"

namespace control {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using mesh::api::Answer;
using mesh::api::ErrorCode;
using mesh::api::Refusal;
using mesh::api::Response;

constexpr std::uint64_t kMostBodyBytes = 1 << 20;
constexpr std::chrono::seconds kIdle{120};
/// How much, and how long, is still read of a body that was refused.
constexpr std::size_t kMostDropped = 64 << 20;
constexpr std::chrono::seconds kLinger{10};

using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

SignedRequest to_signed(const HttpRequest& request) {
  SignedRequest out;
  out.method = {request.method_string().data(), request.method_string().size()};
  out.target = {request.target().data(), request.target().size()};
  out.body = request.body();
  for (const auto& field : request) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  return out;
}

world::CalendarTime machine_time() {
  return std::chrono::time_point_cast<world::Duration>(std::chrono::system_clock::now());
}

}  // namespace

struct Server::Implementation {
  Implementation(mesh::api::Store& to, ServerOptions given)
      : store(to), options(std::move(given)), throttle(options.calls_per_second) {
    if (options.accounts) options.api.shares = options.accounts->shares;
  }

  Answer<std::string> caller(const HttpRequest& request, world::CalendarTime now) {
    if (!options.accounts) return options.default_account;
    return verify(to_signed(request), *options.accounts, options.api.region, now);
  }

  Response answer(const HttpRequest& request) {
    const world::CalendarTime now = machine_time();
    const auto account = caller(request, now);
    if (!account) return mesh::api::refuse(account.error());
    if (!throttle.admit(*account, now)) {
      return mesh::api::refuse({ErrorCode::TooManyRequests, "Rate exceeded"});
    }
    const auto text = [](boost::beast::string_view view) {
      return std::string_view(view.data(), view.size());
    };
    return mesh::api::answer(store, options.api,
                             {.method = text(request.method_string()),
                              .target = text(request.target()),
                              .body = request.body(),
                              .account = *account,
                              .now = now});
  }

  HttpResponse to_http(Response response, unsigned version, bool keep_alive) {
    HttpResponse out;
    out.version(version);
    out.result(static_cast<unsigned>(response.status));
    out.set(http::field::content_type, "application/json");
    out.set("x-amzn-RequestId", boost::uuids::to_string(new_id()));
    if (!response.error_type.empty()) {
      out.set("x-amzn-ErrorType", {response.error_type.data(), response.error_type.size()});
    }
    out.keep_alive(keep_alive);
    out.body() = std::move(response.body);
    out.prepare_payload();
    return out;
  }

  /// Reads what still comes and drops it: closed with bytes unread the connection would be reset,
  /// and a client that is still writing would never read its answer.
  static asio::awaitable<void> drop_rest(boost::beast::tcp_stream& stream) {
    std::array<char, 16 * 1024> bytes;
    std::size_t dropped = 0;
    boost::system::error_code error;
    stream.expires_after(kLinger);
    while (!error && dropped < kMostDropped) {
      dropped += co_await stream.async_read_some(asio::buffer(bytes),
                                                 asio::redirect_error(asio::use_awaitable, error));
    }
  }

  /// One connection, request after request, until either side is done with it.
  asio::awaitable<void> serve(boost::beast::tcp_stream stream) {
    const struct Counted {
      std::size_t& count;
      ~Counted() { --count; }
    } counted{++connections};
    boost::beast::flat_buffer buffer;
    bool unread = false;
    for (bool keep_alive = true; keep_alive;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kMostBodyBytes);
      boost::system::error_code error;
      stream.expires_after(kIdle);
      co_await http::async_read(stream, buffer, parser,
                                asio::redirect_error(asio::use_awaitable, error));
      Response response;
      if (error == http::error::body_limit) {
        response = mesh::api::refuse({ErrorCode::BadRequest, "body must be at most 1 MiB"});
        keep_alive = false;
        unread = true;
      } else if (error) {
        break;
      } else if (connections > options.most_connections) {
        response = mesh::api::refuse({ErrorCode::ServiceUnavailable, "too many connections"});
        keep_alive = false;
      } else {
        response = answer(parser.get());
        keep_alive = parser.get().keep_alive();
      }
      const HttpResponse out = to_http(std::move(response), parser.get().version(), keep_alive);
      co_await http::async_write(stream, out, asio::redirect_error(asio::use_awaitable, error));
      if (error) break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (unread) co_await drop_rest(stream);
  }

  asio::awaitable<void> accept() {
    for (;;) {
      boost::system::error_code error;
      tcp::socket socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) continue;
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      spawn(serve(boost::beast::tcp_stream(std::move(socket))));
    }
  }

  /// An exception in any of them ends run(): it is an error of ours.
  void spawn(asio::awaitable<void> task) {
    asio::co_spawn(io, std::move(task), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  mesh::api::Store& store;
  ServerOptions options;
  Throttle throttle;
  std::size_t connections = 0;
  boost::uuids::random_generator new_id;
  asio::io_context io{1};  // goes before what its coroutines use
  tcp::acceptor acceptor{io};
  asio::signal_set signals{io};
};

Server::Server(mesh::api::Store& store, ServerOptions options)
    : implementation_(std::make_unique<Implementation>(store, std::move(options))) {}

Server::~Server() = default;

world::Result<std::uint16_t> Server::start() {
  Implementation& server = *implementation_;
  const tcp::endpoint endpoint(asio::ip::address_v4(server.options.address), server.options.port);
  boost::system::error_code error;
  static_cast<void>(server.acceptor.open(endpoint.protocol(), error));
  if (!error) server.acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) server.acceptor.bind(endpoint, error);
  if (!error) server.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return world::Error{
        "--port", fmt::format("must be one to listen on, is {}:{}: {}",
                              endpoint.address().to_string(), endpoint.port(), error.message())};
  }
  server.spawn(server.accept());
  return server.acceptor.local_endpoint().port();
}

void Server::run() {
  Implementation& server = *implementation_;
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // A store at the largest size that a file may have is an error of a call, not the end.
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  server.signals.add(SIGINT);
  server.signals.add(SIGTERM);
  server.signals.async_wait([&](boost::system::error_code error, int) {
    if (!error) server.io.stop();
  });
  server.io.run();
}

}  // namespace control
