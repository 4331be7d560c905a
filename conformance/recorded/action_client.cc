#include "conformance/recorded/action_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "conformance/latin1.h"
#include "conformance/recorded/client_script.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;

constexpr std::string_view kAuthority = "gw.example";

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// What chunks say, without their framing. Requires: they are whole.
std::string unchunked(std::string_view bytes) {
  std::string body;
  while (true) {
    const std::size_t line = bytes.find("\r\n");
    if (line == std::string_view::npos) return body;
    const std::size_t size = std::strtoul(std::string(bytes.substr(0, line)).c_str(), nullptr, 16);
    if (size == 0) return body;
    body += bytes.substr(line + 2, size);
    bytes.remove_prefix(std::min(bytes.size(), line + 2 + size + 2));
  }
}

/// A number of four bytes, as frames have them.
std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4 && i < bytes.size(); ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

}  // namespace

bool is_kept_header(const std::string& name) {
  constexpr std::array<std::string_view, 10> kKept = {
      "x-envoy-overloaded", "connection",  "content-type", "content-length",        "server",
      "transfer-encoding",  "grpc-status", "grpc-message", "x-envoy-attempt-count", "retry-after"};
  return std::find(kKept.begin(), kKept.end(), name) != kKept.end();
}

ActionClient::ActionClient(world::World& world, const world::Endpoint& gateway, std::string name,
                           Protocol protocol, EventLog& events)
    : world_(world),
      name_(std::move(name)),
      protocol_(protocol),
      events_(events),
      transport_(world.connect(gateway, *this)),
      connected_at_(world.now()) {}

ActionClient::ActionClient(world::World& world, const world::Endpoint& gateway, std::string name,
                           Protocol protocol, EventLog& events,
                           std::shared_ptr<const wire::tls::Context> context,
                           const wire::tls::Session* resumed)
    : world_(world),
      name_(std::move(name)),
      protocol_(protocol),
      events_(events),
      connected_at_(world.now()) {
  auto transport =
      wire::tls::TlsTransport::connect(world, std::move(context), gateway, *this, &sessions_);
  tls_ = transport.get();
  if (resumed != nullptr) tls_->resume(*resumed);
  transport_ = std::move(transport);
}

std::size_t ActionClient::response_end(std::size_t from) const {
  return responses_end(received_, from, 1, false, false, end_ != End::No);
}

void ActionClient::on_connected() {
  connected_ = true;
  connected_at_ = world_.now();
}

void ActionClient::greet() {
  send(std::string(h2::kPreface) + h2::settings_frame(json::array()));
}

void ActionClient::send(std::string_view bytes) {
  if (over() || finished_) return;
  sent_at_ = world_.now();
  transport_->write(bytes);
}

void ActionClient::request(const std::string& id) {
  if (over()) return;
  if (protocol_ == Protocol::Http2) {
    const std::uint32_t stream = next_stream_;
    next_stream_ += 2;
    streams_[stream] = id;
    send(h2::headers_frames(stream,
                            {{":method", "GET"},
                             {":scheme", "http"},
                             {":authority", std::string(kAuthority)},
                             {":path", "/" + id},
                             {"x-id", id}},
                            true));
    return;
  }
  awaited_.push_back(id);
  send("GET /" + id + " HTTP/1.1\r\nhost: " + std::string(kAuthority) + "\r\nx-id: " + id +
       "\r\n\r\n");
}

void ActionClient::finish() {
  if (closed_ || end_ == End::Reset || std::exchange(finished_, true)) return;
  transport_->finish();
}

void ActionClient::close() {
  if (std::exchange(closed_, true)) return;
  transport_->close();
}

const Answer* ActionClient::answer(const std::string& id) const {
  const auto found = answers_.find(id);
  return found == answers_.end() ? nullptr : &found->second;
}

void ActionClient::on_data(std::string_view bytes) {
  events_.touch();
  heard_at_ = world_.now();
  received_ += bytes;
  if (protocol_ == Protocol::Http1) read_http1();
  if (protocol_ == Protocol::Http2) {
    reader_.add(bytes);
    read_http2();
  }
}

void ActionClient::on_error(std::error_code) {
  ended(End::Reset);
}

void ActionClient::ended(End how) {
  end_ = how;
  ended_at_ = world_.now();
  events_.touch();
  if (protocol_ == Protocol::Http1) read_http1();
  if (protocol_ == Protocol::Raw || !connected_) return;
  events_.add({"client_conn_closed", name_, how == End::Fin ? "fin" : "rst"});
  if (how == End::Fin) transport_->close();
}

void ActionClient::read_http1() {
  while (!awaited_.empty() && read_response()) {
  }
}

/// Takes one whole response out. False: it is not there yet.
bool ActionClient::read_response() {
  const std::size_t end = responses_end(received_, read_, 1, false, false, end_ != End::No);
  if (end == std::string::npos) return false;
  std::string_view message = std::string_view(received_).substr(read_, end - read_);
  while (message.substr(0, 10) == "HTTP/1.1 1" && message.substr(9, 3) != "101") {
    message.remove_prefix(message.find("\r\n\r\n") + 4);
  }
  const std::size_t head_end = message.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return false;
  read_ = end;
  Answer answer;
  answer.status = std::atoi(std::string(message.substr(9, 3)).c_str());
  bool chunked = false;
  for (std::size_t at = message.find("\r\n"); at < head_end;) {
    const std::size_t line_end = message.find("\r\n", at + 2);
    const std::string_view line = message.substr(at + 2, line_end - at - 2);
    const std::size_t colon = line.find(':');
    const std::string name = lower_case(line.substr(0, colon));
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (name == "transfer-encoding") chunked = value == "chunked";
    if (is_kept_header(name)) answer.headers[name] = to_utf8(value);
    at = line_end;
  }
  const std::string_view body = message.substr(head_end + 4);
  answer.body = to_utf8(chunked ? unchunked(body) : std::string(body));
  const std::string id = awaited_.front();
  awaited_.pop_front();
  done(id, std::move(answer));
  return true;
}

void ActionClient::read_http2() {
  for (h2::Frame frame; reader_.next(frame);) take(frame);
}

void ActionClient::take(const h2::Frame& frame) {
  using h2::Type;
  if (frame.is(Type::Settings) && !frame.ack()) send(h2::settings_ack());
  if (frame.is(Type::GoAway)) {
    events_.add({"client_goaway", name_, number_at(frame.payload, 4),
                 number_at(frame.payload, 0) & 0x7fffffff});
  }
  const auto stream = streams_.find(frame.stream);
  if (stream == streams_.end()) return;
  if (frame.is(Type::RstStream)) {
    events_.add({"client_stream_reset", stream->second, number_at(frame.payload, 0)});
    streams_.erase(stream);
    return;
  }
  Answer& answer = partial_[frame.stream];
  if (frame.is(Type::Headers)) {
    bool interim = false;
    for (const json& header : frame.record["headers"]) {
      const std::string name = header[0];
      const std::string value = header[1];
      if (name == ":status") {
        answer.status = std::atoi(value.c_str());
        interim = answer.status < 200;
      }
      if (!interim && is_kept_header(name)) answer.headers[name] = value;
    }
  }
  if (frame.is(Type::Data)) {
    answer.body += frame.record["data"].get<std::string>();
    if (!frame.payload.empty()) {
      const auto size = static_cast<std::uint32_t>(frame.payload.size());
      send(h2::window_update_frame(0, size));
      if (!frame.end_stream()) send(h2::window_update_frame(frame.stream, size));
    }
  }
  if (!frame.end_stream()) return;
  const std::string id = stream->second;
  streams_.erase(stream);
  done(id, std::move(answer));
}

void ActionClient::done(const std::string& id, Answer answer) {
  answer.at = world_.now();
  events_.add({"response", id, answer.status, answer.headers, answer.body});
  answers_[id] = std::move(answer);
}

}  // namespace conformance::recorded
