#include <algorithm>
#include <chrono>
#include <string>

#include "conformance/recorded/action_connection.h"
#include "conformance/recorded/h2_frames.h"

namespace conformance::recorded {

using nlohmann::json;

/// Bytes alone: waits, sends and keeps what it is told to, step by step.
class ActionRaw final : public ActionConnection {
 public:
  using ActionConnection::ActionConnection;

  void open() override {
    if (number_ == 1) steps_ = owner_.script_.value("on_connect", json::array());
    go_on();
  }
  void answer(const UpstreamRequestSeen&, int, const std::string&, const json&) override {}
  bool answer_word(const UpstreamRequestSeen&, const std::string&) override { return false; }

 private:
  void on_data(std::string_view bytes) override {
    received_ += bytes;
    go_on();
  }
  void peer_ended(const char*) override {
    ended_ = true;
    if (waited_) pausing_ = false;
    go_on();
  }

  void keep(const json& step, std::size_t taken) {
    const std::string bytes = received_.substr(0, taken);
    received_.erase(0, taken);
    if (!step.contains("keep_hex")) return;
    const int most = step["keep_hex"];
    const std::size_t size = most < 0 ? bytes.size() : static_cast<std::size_t>(most);
    owner_.kept_.push_back(h2::to_hex(bytes.substr(0, size)));
  }

  void go_on() {
    while (next_ < steps_.size() && !over_ && !pausing_) {
      const json& step = steps_[next_];
      if (step.contains("recv_some")) {
        const std::size_t most = step["recv_some"];
        if (received_.empty() && !ended_) return;
        keep(step, std::min(most, received_.size()));
      } else if (step.contains("send_hex")) {
        send(h2::from_hex(step["send_hex"].get<std::string>()));
      } else if (step.contains("sleep_ms")) {
        pause(std::chrono::milliseconds(step["sleep_ms"].get<int>()));
      } else if (step.contains("recv_to_end_ms")) {
        if (!ended_ && !waited_) {
          pause(std::chrono::milliseconds(step["recv_to_end_ms"].get<int>()));
          waited_ = true;
          --next_;
        } else {
          keep(step, received_.size());
        }
      } else if (step.contains("close")) {
        end(step["close"] == "rst");
      }
      ++next_;
    }
  }
  /// An end that comes meanwhile ends a wait for it.
  void pause(world::Duration time) {
    pausing_ = true;
    owner_.agenda_.after(time, [this] {
      pausing_ = false;
      go_on();
    });
  }

  json steps_ = json::array();
  std::size_t next_ = 0;
  std::string received_;
  bool pausing_ = false;
  bool waited_ = false;
  bool ended_ = false;
};

std::unique_ptr<ActionConnection> action_raw(ActionUpstream& owner, std::size_t number,
                                             std::unique_ptr<world::Transport> transport) {
  return std::make_unique<ActionRaw>(owner, number, std::move(transport));
}

}  // namespace conformance::recorded
