#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "conformance/latin1.h"
#include "conformance/recorded/upstream_connection.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The value of a header in a head as sent; nothing if it is not there.
std::optional<std::string> header(std::string_view head, std::string_view name) {
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, end - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && lower_case(line.substr(0, colon)) == name) {
      std::string_view value = line.substr(colon + 1);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      return std::string(value);
    }
    at = end;
  }
  return std::nullopt;
}

/// Where a chunked body that begins at `at` ends, trailers included; npos if it is not whole.
std::size_t chunked_end(std::string_view bytes, std::size_t at) {
  while (true) {
    const std::size_t line = bytes.find("\r\n", at);
    if (line == std::string_view::npos) return line;
    const std::size_t size =
        std::strtoul(std::string(bytes.substr(at, line - at)).c_str(), nullptr, 16);
    at = line + 2;
    if (size == 0) break;
    if (bytes.size() - at < 2 || bytes.size() - at - 2 < size) return std::string_view::npos;
    at += size + 2;
  }
  while (true) {  // trailers, up to the blank line
    const std::size_t line = bytes.find("\r\n", at);
    if (line == std::string_view::npos) return line;
    if (line == at) return at + 2;
    at = line + 2;
  }
}

/// Where the message whose head ends at `head_end` ends; npos if it is not whole.
std::size_t message_end(std::string_view bytes, std::size_t head_end) {
  const std::string_view head = bytes.substr(0, head_end);
  if (const auto encoding = header(head, "transfer-encoding"); encoding == "chunked") {
    return chunked_end(bytes, head_end);
  }
  std::size_t size = 0;
  if (const auto length = header(head, "content-length")) {
    size = std::strtoul(length->c_str(), nullptr, 10);
  }
  return bytes.size() - head_end < size ? std::string_view::npos : head_end + size;
}

/// One connection: reads requests one after another, and works through a list of deeds for each.
class Http1Connection final : public UpstreamConnection {
 public:
  Http1Connection(UpstreamScript& script, std::size_t number,
                  std::unique_ptr<world::Transport> transport)
      : UpstreamConnection(script, number, std::move(transport)),
        timer_(script.world.timer(world::bind<&Http1Connection::work>(this))) {}

  void on_data(std::string_view bytes) override {
    if (over_) return;
    buffer_ += bytes;
    advance();
  }
  void on_end() override { peer_ended("eof"); }
  void on_error(std::error_code) override { peer_ended("reset"); }

 private:
  /// One thing to do after a request.
  struct Deed {
    enum class Kind : std::uint8_t {
      Pause,
      Send,
      Receive,  // of a tunnel
      Finish,
      Close,
      Reset,
      Hang,
      ReadToEnd,
    };
    Kind kind = Kind::Pause;
    std::int64_t number = 0;
    std::string text;
  };

  void advance() {
    if (working_) {
      work();
    } else {
      read_request();
    }
  }

  void read_request() {
    while (!working_ && !over_) {
      const std::size_t blank = buffer_.find("\r\n\r\n");
      if (blank == std::string::npos) break;
      const std::size_t head_end = blank + 4;
      if (!action_) action_ = script_.take_action();
      const std::string on = action_->value("on", "");
      if (on == "100" && !continued_ && buffer_.find("100-continue") < head_end) {
        transport_->write("HTTP/1.1 100 Continue\r\n\r\n");
        continued_ = true;
      }
      const std::size_t end = on == "head" ? head_end : message_end(buffer_, head_end);
      if (end == std::string::npos) break;
      note({{"request", to_utf8(buffer_.substr(0, end))}});
      buffer_.erase(0, end);
      plan(*action_);
      action_.reset();
      continued_ = false;
      working_ = true;
      work();
    }
    if (peer_gone_ && !working_ && !over_) finish_reading();
  }

  void plan(const json& action) {
    deeds_.clear();
    next_ = 0;
    using Kind = Deed::Kind;
    if (action.contains("delay_ms")) deeds_.push_back({Kind::Pause, action["delay_ms"], {}});
    if (action.value("hang", false)) {
      deeds_.push_back({Kind::Hang, 0, {}});
      return;
    }
    if (action.contains("parts")) {
      for (const json& part : action["parts"]) {
        if (part.is_string()) {
          deeds_.push_back({Kind::Send, 0, to_latin1(part.get<std::string>())});
        } else {
          deeds_.push_back({Kind::Pause, part.get<std::int64_t>(), {}});
        }
      }
    } else {
      deeds_.push_back(
          {Kind::Send, 0,
           to_latin1(action.value("respond", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))});
    }
    if (action.contains("tunnel")) {
      for (const json& step : action["tunnel"]) {
        if (step.contains("recv")) deeds_.push_back({Kind::Receive, step["recv"], {}});
        if (step.contains("send")) {
          deeds_.push_back({Kind::Send, 0, to_latin1(step["send"].get<std::string>())});
        }
        if (step.contains("sleep_ms")) deeds_.push_back({Kind::Pause, step["sleep_ms"], {}});
        if (step.contains("shutdown_wr")) deeds_.push_back({Kind::Finish, 0, {}});
        if (step.contains("close")) deeds_.push_back({Kind::Close, 0, {}});
        if (step.contains("reset")) deeds_.push_back({Kind::Reset, 0, {}});
      }
      deeds_.push_back({Kind::ReadToEnd, 0, {}});
      return;
    }
    const std::string then = action.value("then", "keep");
    if (then == "close") deeds_.push_back({Kind::Close, 0, {}});
    if (then == "shutdown_wr") {
      deeds_.push_back({Kind::Finish, 0, {}});
      deeds_.push_back({Kind::Hang, 0, {}});
    }
    if (then == "reset") {
      deeds_.push_back({Kind::Pause, 20, {}});
      deeds_.push_back({Kind::Reset, 0, {}});
    }
    if (then == "reset_now") deeds_.push_back({Kind::Reset, 0, {}});
    if (then == "hang") deeds_.push_back({Kind::Hang, 0, {}});
  }

  void work() {
    if (timer_.running()) return;
    while (working_ && !over_) {
      if (next_ == deeds_.size()) {
        working_ = false;
        read_request();
        return;
      }
      const Deed& deed = deeds_[next_];
      switch (deed.kind) {
        case Deed::Kind::Pause:
          ++next_;
          timer_.start_after(std::chrono::milliseconds(deed.number));
          return;
        case Deed::Kind::Send:
          if (!reset_by_peer_) transport_->write(deed.text);
          break;
        case Deed::Kind::Receive: {
          const auto wanted = static_cast<std::size_t>(deed.number);
          if (buffer_.size() < wanted && !peer_gone_) return;
          const std::size_t got = std::min(wanted, buffer_.size());
          note({{"tunnel", to_utf8(buffer_.substr(0, got))}});
          buffer_.erase(0, got);
          break;
        }
        case Deed::Kind::Finish:
          transport_->finish();
          break;
        case Deed::Kind::Close:
          over_ = true;
          transport_->close();
          return;
        case Deed::Kind::Reset:
          over_ = true;
          transport_->reset();
          return;
        case Deed::Kind::Hang:
        case Deed::Kind::ReadToEnd:
          if (!peer_gone_) return;
          over_ = true;
          if (deed.kind == Deed::Kind::ReadToEnd || record_events() || !buffer_.empty()) {
            note({{"event", reset_by_peer_ ? "reset" : "eof"}, {"extra", to_utf8(buffer_)}});
          }
          transport_->close();
          return;
      }
      ++next_;
    }
  }

  bool record_events() const { return script_.script.value("record_events", false); }

  void peer_ended(const char* how) {
    if (over_ || peer_gone_) return;
    peer_gone_ = true;
    reset_by_peer_ = std::string_view(how) == "reset";
    advance();
  }

  /// The gateway has ended the connection between requests, or within one.
  void finish_reading() {
    over_ = true;
    if (record_events() || !buffer_.empty()) {
      note({{"event", reset_by_peer_ ? "reset" : "eof"}, {"partial", to_utf8(buffer_)}});
    }
    transport_->close();
  }

  world::Timer timer_;
  std::string buffer_;
  std::optional<json> action_;
  std::vector<Deed> deeds_;
  std::size_t next_ = 0;
  bool working_ = false;
  bool continued_ = false;
  bool peer_gone_ = false;
  bool reset_by_peer_ = false;
};

}  // namespace

std::unique_ptr<UpstreamConnection> http1_connection(UpstreamScript& script, std::size_t number,
                                                     std::unique_ptr<world::Transport> transport) {
  return std::make_unique<Http1Connection>(script, number, std::move(transport));
}

}  // namespace conformance::recorded
