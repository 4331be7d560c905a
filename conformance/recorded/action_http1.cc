#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "conformance/latin1.h"
#include "conformance/recorded/action_connection.h"

namespace conformance::recorded {

using nlohmann::json;

namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// Where chunks that begin at `at` end, trailers included; npos if they are not whole.
std::size_t chunks_end(std::string_view bytes, std::size_t at) {
  constexpr std::size_t npos = std::string_view::npos;
  for (std::size_t size = 1; size > 0;) {
    const std::size_t line = bytes.find("\r\n", at);
    if (line == npos) return npos;
    size = std::strtoul(std::string(bytes.substr(at, line - at)).c_str(), nullptr, 16);
    at = line + 2;
    if (size > 0) at += size + 2;
    if (at > bytes.size()) return npos;
  }
  for (std::size_t line = bytes.find("\r\n", at); line != npos; line = bytes.find("\r\n", at)) {
    const bool last = line == at;
    at = line + 2;
    if (last) return at;
  }
  return npos;
}

}  // namespace

/// HTTP/1: while a request waits for its answer, nothing is read, the connection's end neither.
class ActionHttp1 final : public ActionConnection {
 public:
  using ActionConnection::ActionConnection;

  void answer(const UpstreamRequestSeen&, int status, const std::string& body,
              const json& headers) override {
    std::string message = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
    const bool bodiless = status < 200 || status == 204;
    const std::string bytes = bodiless ? "" : to_latin1(body);
    if (!bodiless) message += "content-length: " + std::to_string(bytes.size()) + "\r\n";
    for (const json& header : headers) {
      message += to_latin1(header.at(0).get<std::string>()) + ": " +
                 to_latin1(header.at(1).get<std::string>()) + "\r\n";
    }
    send(message + "\r\n" + bytes);
    answered();
  }

  bool answer_word(const UpstreamRequestSeen& request, const std::string& word) override {
    if (word == "ok-close") {
      ending_answer_ = true;
      answer(request, 200, "ok", json::array({json::array({"connection", "close"})}));
      end(false);
    } else if (word == "head") {
      send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    } else if (word == "garbage") {
      send("hello there\r\n\r\n");
    } else {
      return false;
    }
    return true;
  }

  void end(bool reset) override {
    const bool idle = !busy_ && !over_;
    ActionConnection::end(reset);
    if (idle && !ending_answer_) note({"up_close", name(), "fin"});
  }

 private:
  void on_data(std::string_view bytes) override {
    buffer_ += bytes;
    read();
  }
  void peer_ended(const char* how) override {
    if (busy_) {
      unheard_ = how;
    } else {
      ActionConnection::peer_ended(how);
    }
  }

  void answered() {
    busy_ = false;
    if (unheard_ != nullptr) {
      ActionConnection::peer_ended(unheard_);
    } else {
      read();
    }
  }

  void read() {
    const std::size_t head_end = buffer_.find("\r\n\r\n");
    if (busy_ || over_ || head_end == std::string::npos) return;
    UpstreamRequestSeen request;
    std::size_t end = head_end + 4;
    for (std::size_t at = 0; at <= head_end;) {
      const std::size_t line_end = buffer_.find("\r\n", at);
      request.lines.push_back(to_utf8(buffer_.substr(at, line_end - at)));
      at = line_end + 2;
    }
    for (std::size_t i = 1; i < request.lines.size(); ++i) {
      const std::string& line = request.lines[i];
      const std::size_t colon = line.find(':');
      const std::size_t value = line.find_first_not_of(' ', colon + 1);
      request.headers[lower_case(line.substr(0, colon))] =
          value == std::string::npos ? "" : line.substr(value);
    }
    if (request.headers.count("content-length") != 0) {
      end += std::strtoul(request.headers["content-length"].c_str(), nullptr, 10);
      if (end > buffer_.size()) return;
    } else if (request.headers.count("transfer-encoding") != 0) {
      end = chunks_end(buffer_, end);
      if (end == std::string::npos) return;
    }
    buffer_.erase(0, end);
    const std::string& first = request.lines.front();
    const std::size_t blank = first.find(' ');
    request.path = first.substr(blank + 1, first.rfind(' ') - blank - 1);
    busy_ = true;
    arrived(std::move(request));
  }

  std::string buffer_;
  const char* unheard_ = nullptr;  // how the connection ended meanwhile
  bool busy_ = false;
  bool ending_answer_ = false;
};

std::unique_ptr<ActionConnection> action_http1(ActionUpstream& owner, std::size_t number,
                                               std::unique_ptr<world::Transport> transport) {
  return std::make_unique<ActionHttp1>(owner, number, std::move(transport));
}

/// Of probes that only connect.
class ActionTcp final : public ActionConnection {
 public:
  using ActionConnection::ActionConnection;

  void open() override { arrived({}); }
  void answer(const UpstreamRequestSeen&, int, const std::string&, const json&) override {}
  bool answer_word(const UpstreamRequestSeen&, const std::string&) override { return false; }

 private:
  void on_data(std::string_view) override {}
};

std::unique_ptr<ActionConnection> action_tcp(ActionUpstream& owner, std::size_t number,
                                             std::unique_ptr<world::Transport> transport) {
  return std::make_unique<ActionTcp>(owner, number, std::move(transport));
}

}  // namespace conformance::recorded
