#include "conformance/recorded/client_script.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "conformance/latin1.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto npos = std::string_view::npos;

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// Where the body that begins at `at` ends.
std::size_t body_end(std::string_view bytes, std::size_t at, std::string_view head, bool ended) {
  if (head.find("\r\ntransfer-encoding: chunked") != npos) {
    while (true) {
      const std::size_t line = bytes.find("\r\n", at);
      if (line == npos) return npos;
      std::size_t size = 0;
      std::from_chars(bytes.data() + at, bytes.data() + line, size, 16);
      at = line + 2;
      if (bytes.size() - at < 2 || bytes.size() - at - 2 < size) return npos;
      at += size + 2;
      if (size == 0) return at;
    }
  }
  if (const std::size_t length = head.find("\r\ncontent-length: "); length != npos) {
    std::size_t size = 0;
    std::from_chars(head.data() + length + 18, head.data() + head.size(), size);
    return bytes.size() - at < size ? npos : at + size;
  }
  return ended ? bytes.size() : npos;
}

world::Duration millis(const json& number) {
  return std::chrono::milliseconds(number.get<std::int64_t>());
}

}  // namespace

std::size_t responses_end(std::string_view bytes, std::size_t from, std::size_t count, bool head,
                          bool count_1xx, bool ended) {
  std::size_t at = from;
  for (std::size_t complete = 0; complete < count;) {
    const std::size_t blank = bytes.find("\r\n\r\n", at);
    if (blank == npos) return npos;
    const std::string headers = lower_case(bytes.substr(at, blank + 2 - at));
    const std::size_t space = headers.find(' ');
    int status = 0;
    if (space != npos) {
      std::from_chars(headers.data() + space + 1, headers.data() + headers.size(), status);
    }
    at = blank + 4;
    const bool informational = status >= 100 && status < 200;
    if (!informational && status != 204 && status != 304 && !head) {
      at = body_end(bytes, at, headers, ended);
      if (at == npos) return npos;
    }
    if (!informational || status == 101 || count_1xx) ++complete;
  }
  return at;
}

ScriptedClient::ScriptedClient(world::World& world, const world::Endpoint& gateway,
                               RunUntil run_until)
    : world_(world), run_until_(std::move(run_until)), transport_(world.connect(gateway, *this)) {}

void ScriptedClient::on_end() {
  ended_ = Ended::Fin;
}

void ScriptedClient::on_error(std::error_code) {
  if (ended_ == Ended::No) ended_ = Ended::Reset;
  can_send_ = false;
}

void ScriptedClient::run(const json& steps, const std::string& gateway_port) {
  run_until_([this] { return connected_ || ended_ != Ended::No; }, world_.now() + 3s);
  for (const json& one : steps) step(one, gateway_port);
  judge_rest();
  transport_->close();
}

void ScriptedClient::send(std::string_view bytes) {
  if (!can_send_) {  // a failed write
    state_ = "reset";
    return;
  }
  transport_->write(bytes);
  // On one machine the answer to bytes that came too late is there at once.
  if (ended_ == Ended::Fin) run_until_([this] { return !can_send_; }, world_.now());
}

/// Only waiting steps read: what is there when the client closes or aborts is lost to it.
void ScriptedClient::read_until(const std::function<bool()>& done, world::Duration timeout) {
  reading_ = true;
  received_ += unread_;
  unread_.clear();
  run_until_([&] { return done() || ended_ != Ended::No; }, world_.now() + timeout);
  reading_ = false;
}

/// Waits; a wait that meets the connection's end says how it ended.
void ScriptedClient::await(const std::function<bool()>& done, world::Duration timeout) {
  read_until(done, timeout);
  if (!done()) judge_end();
}

void ScriptedClient::judge_end() {
  if (!state_.empty() || ended_ == Ended::No) return;
  state_ = ended_ == Ended::Fin ? "closed" : "reset";
}

void ScriptedClient::step(const json& step, const std::string& gateway_port) {
  const auto timeout = std::chrono::milliseconds(step.value("timeout_ms", 3000));
  const auto bytes_of = [&](const json& text) {
    std::string bytes = to_latin1(text.get<std::string>());
    constexpr std::string_view kPort = "<GATEWAY_PORT>";
    for (std::size_t at = bytes.find(kPort); at != npos; at = bytes.find(kPort)) {
      bytes.replace(at, kPort.size(), gateway_port);
    }
    return bytes;
  };
  if (step.contains("send")) {
    send(bytes_of(step["send"]));
  } else if (step.contains("send_repeat")) {
    const std::string bytes = bytes_of(step["send_repeat"][0]);
    for (int i = 0; i < step["send_repeat"][1].get<int>(); ++i) send(bytes);
  } else if (step.contains("sleep_ms")) {
    run_until_([] { return false; }, world_.now() + millis(step["sleep_ms"]));
  } else if (step.contains("shutdown_wr")) {
    if (can_send_) transport_->finish();
    can_send_ = false;
  } else if (step.contains("close")) {
    transport_->close();
    can_send_ = false;
    state_ = "client-closed";
  } else if (step.contains("reset")) {
    transport_->reset();
    can_send_ = false;
    state_ = "client-reset";
  } else if (step.contains("recv")) {
    const auto end = [&] {
      return responses_end(received_, consumed_, step["recv"].get<std::size_t>(),
                           step.value("head", false), step.value("count_1xx", false),
                           ended_ != Ended::No);
    };
    await([&] { return end() != npos; }, timeout);
    if (end() != npos) consumed_ = end();
  } else if (step.contains("recv_until_len")) {
    const std::size_t wanted = consumed_ + step["recv_until_len"].get<std::size_t>();
    await([&] { return received_.size() >= wanted; }, timeout);
    consumed_ = std::min(received_.size(), wanted);
  } else if (step.contains("recv_text")) {
    const std::string text = bytes_of(step["recv_text"]);
    await([&] { return received_.find(text, consumed_) != npos; }, timeout);
    if (const std::size_t at = received_.find(text, consumed_); at != npos) {
      consumed_ = at + text.size();
    }
  } else if (step.contains("recv_idle_ms")) {
    const world::TimePoint begun = world_.now();
    const bool before = ended_ != Ended::No;
    await([] { return false; }, millis(step["recv_idle_ms"]));
    consumed_ = received_.size();
    const world::Duration took = world_.now() - begun;
    if (!before && took >= 600ms && (state_ == "closed" || state_ == "reset")) {
      const auto seconds = std::chrono::round<std::chrono::seconds>(took).count();
      state_ += "-after-" + std::to_string(seconds) + "s";
    }
  }
}

void ScriptedClient::judge_rest() {
  if (!state_.empty()) return;
  const auto never = [] { return false; };
  read_until(never, 80ms);
  judge_end();
  if (!state_.empty()) return;
  if (lower_case(received_).find("\r\nconnection: close\r\n") != npos) {
    read_until(never, 1600ms);
    if (ended_ == Ended::Fin) {
      state_ = "closed-after-1s";
      return;
    }
    judge_end();
    if (!state_.empty()) return;
  }
  state_ = "open";
}

}  // namespace conformance::recorded
