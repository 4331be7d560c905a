#include "conformance/recorded/h2_client_script.h"

#include <algorithm>

#include "conformance/latin1.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

world::Duration millis(const json& number) {
  return std::chrono::milliseconds(number.get<std::int64_t>());
}

/// `{base, name, value, n}`: n headers after the base, numbered from 0 in the place of %d.
h2::Headers repeated(const json& repeat) {
  h2::Headers headers = h2::headers_of(repeat.at("base"));
  const std::string name = to_latin1(repeat.at("name").get<std::string>());
  const std::string value = to_latin1(repeat.at("value").get<std::string>());
  for (int i = 0; i < repeat.at("n").get<int>(); ++i) {
    std::string numbered = name;
    if (const std::size_t at = numbered.find("%d"); at != std::string::npos) {
      numbered.replace(at, 2, std::to_string(i));
    }
    headers.emplace_back(std::move(numbered), value);
  }
  return headers;
}

}  // namespace

Http2ScriptedClient::Http2ScriptedClient(world::World& world, const world::Endpoint& gateway,
                                         const json& stimulus, RunUntil run_until)
    : world_(world),
      stimulus_(stimulus),
      run_until_(std::move(run_until)),
      settings_(stimulus.value("settings", json::array())),
      reader_(h2::header_table_of(settings_)),
      transport_(world.connect(gateway, *this)) {}

void Http2ScriptedClient::on_data(std::string_view bytes) {
  reader_.add(bytes);
  for (h2::Frame frame; reader_.next(frame);) take(frame);
}

void Http2ScriptedClient::on_error(std::error_code) {
  end();
  can_send_ = false;
}

void Http2ScriptedClient::end() {
  if (ended_) return;
  ended_ = true;
  ended_at_ = world_.now();
}

void Http2ScriptedClient::take(const h2::Frame& frame) {
  using h2::Type;
  frames_.push_back(frame);
  if (frame.is(Type::Settings) && !frame.ack()) send(h2::settings_ack());
  if (!frame.is(Type::Data) || frame.payload.empty()) return;
  data_bytes_ += to_latin1(frame.record["data"].get<std::string>()).size();
  if (stimulus_.value("no_window_update", false)) return;
  const auto size = static_cast<std::uint32_t>(frame.payload.size());
  send(h2::window_update_frame(0, size));
  if (!frame.end_stream()) send(h2::window_update_frame(frame.stream, size));
}

/// What is sent at one instant is one write: on one machine it is read as one.
void Http2ScriptedClient::send(std::string_view bytes) {
  if (can_send_) to_send_ += bytes;
  if (waiting_) flush();
}

void Http2ScriptedClient::flush() {
  if (can_send_ && !to_send_.empty()) transport_->write(to_send_);
  to_send_.clear();
}

void Http2ScriptedClient::run() {
  run_until_([this] { return connected_ || ended_; }, world_.now() + 3s);
  if (!stimulus_.value("no_preface", false)) {
    send(std::string(h2::kPreface) + h2::settings_frame(settings_));
  }
  last_step_at_ = world_.now();
  for (const json& step : stimulus_.at("steps")) {
    last_step_at_ = world_.now();
    send_of(step);
    wait_of(step);
  }
  const auto never = [] { return false; };
  wait(never, 80ms);
  const bool answered = saw(h2::Type::Headers) || saw(h2::Type::RstStream) || saw(h2::Type::Ping);
  if (!stimulus_.value("verbose", false) && (saw(h2::Type::GoAway) || !answered)) {
    wait(never, 1600ms);
  }
  flush();
  transport_->close();
  can_send_ = false;
}

void Http2ScriptedClient::send_of(const json& step) {
  const std::uint32_t stream = step.value("stream", 1U);
  const bool end_stream = step.value("end_stream", false);
  const auto bytes_of = [&](const char* name) { return to_latin1(step[name].get<std::string>()); };
  if (step.contains("headers")) {
    const h2::Headers headers = h2::headers_of(step["headers"]);
    if (step.contains("with_data")) {
      send(h2::headers_frames(stream, headers, false) +
           h2::data_frame(stream, bytes_of("with_data"), end_stream));
    } else {
      send(h2::headers_frames(stream, headers, end_stream));
    }
  } else if (step.contains("headers_repeat")) {
    send(h2::headers_frames(stream, repeated(step["headers_repeat"]), true));
  } else if (step.contains("data")) {
    send(h2::data_frame(stream, bytes_of("data"), end_stream));
  } else if (step.contains("rst")) {
    send(h2::rst_stream_frame(stream, step["rst"]));
  } else if (step.contains("ping")) {
    send(h2::ping_frame(h2::from_hex(step["ping"].get<std::string>()), false));
  } else if (step.contains("goaway")) {
    send(h2::goaway_frame(0, step["goaway"]));
  } else if (step.contains("raw_hex")) {
    send(h2::from_hex(step["raw_hex"].get<std::string>()));
  } else if (step.contains("raw")) {
    send(bytes_of("raw"));
  } else if (step.contains("sleep_ms")) {
    run([] { return false; }, millis(step["sleep_ms"]));
  } else if (step.contains("shutdown_wr")) {
    flush();
    if (can_send_) transport_->finish();
    can_send_ = false;
  }
}

void Http2ScriptedClient::wait_of(const json& step) {
  const world::Duration timeout = std::chrono::milliseconds(step.value("timeout_ms", 3000));
  if (step.contains("recv_end")) {
    const json streams =
        step["recv_end"].is_array() ? step["recv_end"] : json::array({step["recv_end"]});
    wait(
        [&] {
          return std::all_of(streams.begin(), streams.end(),
                             [&](const json& id) { return stream_over(id); });
        },
        timeout);
  } else if (step.contains("recv_type")) {
    const std::string type = step["recv_type"];
    wait(
        [&] {
          return std::any_of(frames_.begin(), frames_.end(), [&](const h2::Frame& frame) {
            return frame.record["type"] == type && (frame.is(h2::Type::Ping) || !frame.ack());
          });
        },
        timeout);
  } else if (step.contains("recv_data")) {
    const auto wanted = step["recv_data"].get<std::size_t>();
    wait([&] { return data_bytes_ >= wanted; }, timeout);
  } else if (step.contains("recv_idle_ms")) {
    wait([] { return false; }, millis(step["recv_idle_ms"]));
  }
}

void Http2ScriptedClient::wait(const std::function<bool()>& done, world::Duration timeout) {
  run([&] { return done() || ended_; }, timeout);
}

void Http2ScriptedClient::run(const std::function<bool()>& done, world::Duration time) {
  flush();
  waiting_ = true;
  run_until_(done, world_.now() + time);
  waiting_ = false;
}

bool Http2ScriptedClient::saw(h2::Type type) const {
  return std::any_of(frames_.begin(), frames_.end(),
                     [&](const h2::Frame& frame) { return frame.is(type); });
}

bool Http2ScriptedClient::stream_over(std::uint32_t stream) const {
  return std::any_of(frames_.begin(), frames_.end(), [&](const h2::Frame& frame) {
    return frame.stream == stream && (frame.end_stream() || frame.is(h2::Type::RstStream));
  });
}

json Http2ScriptedClient::observed() const {
  const bool verbose = stimulus_.value("verbose", false);
  json frames = json::array();
  for (const h2::Frame& frame : frames_) {
    const bool housekeeping = frame.is(h2::Type::Settings) || frame.is(h2::Type::WindowUpdate);
    if (verbose || !housekeeping) frames.push_back(frame.record);
  }
  json observed = {{"frames", std::move(frames)}, {"connection", connection_state()}};
  if (!reader_.rest().empty()) observed["trailing_raw"] = to_utf8(reader_.rest());
  return observed;
}

std::string Http2ScriptedClient::connection_state() const {
  if (!ended_) return "open";
  const world::Duration took = ended_at_ - last_step_at_;
  if (took < 600ms) return "closed";
  const auto seconds = std::chrono::round<std::chrono::seconds>(took).count();
  return "closed-after-" + std::to_string(seconds) + "s";
}

}  // namespace conformance::recorded
