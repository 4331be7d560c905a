#include "conformance/recorded/pool_client.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "conformance/recorded/h2_frames.h"
#include "wire/http1/response_parser.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

constexpr std::uint32_t kCancel = 8;

/// The headers of a response that the records keep.
constexpr std::array<std::string_view, 10> kKept = {
    "x-envoy-overloaded", "connection",  "content-type", "content-length",        "server",
    "transfer-encoding",  "grpc-status", "grpc-message", "x-envoy-attempt-count", "retry-after"};

class Http1PoolClient final : public PoolClient, private wire::http1::ResponseParser::Events {
 public:
  using PoolClient::PoolClient;

  void send(const std::vector<Request>& requests) override {
    std::string bytes;
    for (const Request& request : requests) {
      bytes += fmt::format("{} /{} HTTP/1.1\r\nhost: gw.example\r\nx-id: {}\r\n",
                           request.body == 0 ? "GET" : "POST", request.id, request.id);
      for (const auto& [name, value] : request.headers) bytes += name + ": " + value + "\r\n";
      if (request.body > 0) bytes += fmt::format("content-length: {}\r\n", request.body);
      bytes += "\r\n" + std::string(request.body, 'x');
      if (waiting_.empty()) parser_.expect(false, false);
      waiting_.push_back({request.id, world_.now()});
    }
    write(bytes);
  }
  std::vector<std::string> open_requests() const override {
    std::vector<std::string> ids;
    for (const Waiting& waiting : waiting_) ids.push_back(waiting.id);
    return ids;
  }

 private:
  struct Waiting {
    std::string id;
    world::TimePoint sent_at;
  };

  void on_data(std::string_view bytes) override {
    events_.touch(world_.now());
    while (!bytes.empty() && !parser_.error()) {
      bytes.remove_prefix(std::min(bytes.size(), parser_.feed(bytes, *this)));
    }
  }
  void on_head(wire::ResponseHead& head) override {
    status_ = head.status;
    headers_.clear();
    body_.clear();
    for (std::size_t i = 0; i < head.headers.size(); ++i) {
      headers_.emplace_back(head.headers.name(i), head.headers.value(i));
    }
  }
  void on_body(std::string_view bytes) override { body_ += bytes; }
  void on_complete() override {
    if (waiting_.empty()) return;
    const Waiting waiting = waiting_.front();
    waiting_.pop_front();
    answered(waiting.id, status_, headers_, std::move(body_), waiting.sent_at);
    if (!waiting_.empty()) parser_.expect(false, false);
  }

  wire::http1::ResponseParser parser_;
  std::deque<Waiting> waiting_;
  int status_ = 0;
  Headers headers_;
  std::string body_;
};

class Http2PoolClient final : public PoolClient {
 public:
  Http2PoolClient(world::World& world, const world::Endpoint& gateway, std::string name,
                  PoolEvents& events)
      : PoolClient(world, gateway, std::move(name), events) {
    write(std::string(h2::kPreface) + h2::settings_frame(json::array()));
  }

  void send(const std::vector<Request>& requests) override {
    std::string bytes;
    for (const Request& request : requests) {
      h2::Headers headers = {{":method", request.body == 0 ? "GET" : "POST"},
                             {":scheme", "http"},
                             {":authority", "gw.example"},
                             {":path", "/" + request.id},
                             {"x-id", request.id}};
      headers.insert(headers.end(), request.headers.begin(), request.headers.end());
      bytes += h2::headers_frames(next_, headers, request.body == 0);
      if (request.body > 0) bytes += h2::data_frame(next_, std::string(request.body, 'x'), true);
      streams_[next_] = {request.id, world_.now(), 0, {}, {}};
      next_ += 2;
    }
    write(bytes);
  }
  bool cancel(const std::string& id) override {
    for (const auto& [number, stream] : streams_) {
      if (stream.id != id) continue;
      write(h2::rst_stream_frame(number, kCancel));
      streams_.erase(number);
      return true;
    }
    return false;
  }
  std::vector<std::string> open_requests() const override {
    std::vector<std::string> ids;
    for (const auto& [number, stream] : streams_) ids.push_back(stream.id);
    return ids;
  }

 private:
  struct Stream {
    std::string id;
    world::TimePoint sent_at;
    int status = 0;
    Headers headers;
    std::string body;
  };

  void on_data(std::string_view bytes) override {
    events_.touch(world_.now());
    reader_.add(bytes);
    for (h2::Frame frame; !over_ && reader_.next(frame);) take(frame);
  }
  void take(const h2::Frame& frame) {
    using h2::Type;
    if (frame.is(Type::Settings) && !frame.ack()) write(h2::settings_ack());
    if (frame.is(Type::Ping) && !frame.ack()) write(h2::ping_frame(frame.payload, true));
    if (frame.is(Type::GoAway)) {
      note(fmt::format("client_goaway {} {} {}", name_, number_at(frame, 4), number_at(frame, 0)));
    }
    const auto found = streams_.find(frame.stream);
    if (found == streams_.end()) return;
    Stream& stream = found->second;
    if (frame.is(Type::RstStream)) {
      note(fmt::format("client_stream_reset {} {}", stream.id, number_at(frame, 0)));
      streams_.erase(found);
      return;
    }
    if (frame.is(Type::Headers)) {
      for (const auto& [name, value] : h2::headers_of(frame.record.at("headers"))) {
        if (name == ":status") {
          stream.status = std::stoi(value);
        } else {
          stream.headers.emplace_back(name, value);
        }
      }
    } else if (frame.is(Type::Data)) {
      stream.body += frame.payload;
      const auto size = static_cast<std::uint32_t>(frame.payload.size());
      if (size > 0) {
        write(h2::window_update_frame(0, size) + h2::window_update_frame(frame.stream, size));
      }
    }
    if (!frame.end_stream()) return;
    const Stream done = std::move(stream);
    streams_.erase(found);
    answered(done.id, done.status, done.headers, done.body, done.sent_at);
  }
  static std::uint32_t number_at(const h2::Frame& frame, std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = at; i < at + 4 && i < frame.payload.size(); ++i) {
      number = number << 8 | static_cast<unsigned char>(frame.payload[i]);
    }
    return number;
  }

  h2::Reader reader_;
  std::map<std::uint32_t, Stream> streams_;
  std::uint32_t next_ = 1;
};

}  // namespace

PoolClient::PoolClient(world::World& world, const world::Endpoint& gateway, std::string name,
                       PoolEvents& events)
    : world_(world),
      name_(std::move(name)),
      events_(events),
      transport_(world.connect(gateway, *this)),
      connected_at_(world.now()) {}

void PoolClient::write(std::string_view bytes) {
  events_.touch(world_.now());
  if (!over_) transport_->write(bytes);
}

void PoolClient::answered(const std::string& id, int status, const Headers& headers,
                          std::string body, world::TimePoint sent_at) {
  json kept = json::object();
  for (const auto& [name, value] : headers) {
    if (std::find(kKept.begin(), kKept.end(), name) != kKept.end()) kept[name] = value;
  }
  events_.response(id, status, std::move(kept), std::move(body), world_.now() - sent_at);
}

void PoolClient::note(std::string event) {
  events_.client(std::move(event), world_.now() - connected_at_);
  events_.touch(world_.now());
}

void PoolClient::close(bool reset) {
  events_.touch(world_.now());
  if (over_) return;
  over_ = true;
  if (reset) {
    transport_->reset();
  } else {
    transport_->close();
  }
}

void PoolClient::on_end() {
  if (over_) return;
  note("client_conn_closed " + name_ + " fin");
  over_ = true;
  transport_->close();
}

void PoolClient::on_error(std::error_code) {
  if (over_) return;
  note("client_conn_closed " + name_ + " rst");
  over_ = true;
}

std::unique_ptr<PoolClient> http1_pool_client(world::World& world, const world::Endpoint& gateway,
                                              std::string name, PoolEvents& events) {
  return std::make_unique<Http1PoolClient>(world, gateway, std::move(name), events);
}

std::unique_ptr<PoolClient> http2_pool_client(world::World& world, const world::Endpoint& gateway,
                                              std::string name, PoolEvents& events) {
  return std::make_unique<Http2PoolClient>(world, gateway, std::move(name), events);
}

}  // namespace conformance::recorded
