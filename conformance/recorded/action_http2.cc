#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "conformance/latin1.h"
#include "conformance/recorded/action_connection.h"
#include "conformance/recorded/h2_frames.h"

namespace conformance::recorded {

using nlohmann::json;

namespace {

constexpr std::uint32_t kMaxConcurrentStreams = 3;
constexpr std::uint32_t kInternalError = 2;

/// A gRPC message with its prefix.
std::string message(std::string_view bytes) {
  std::string out(4, '\0');
  out += static_cast<char>(bytes.size());
  return out.append(bytes);
}

/// HealthCheckResponse of that name; nothing: there is none.
const char* serving_status(const std::string& word) {
  static const std::map<std::string, const char*> kBytes = {{"ok", "\x08\x01"},
                                                            {"SERVING", "\x08\x01"},
                                                            {"NOT_SERVING", "\x08\x02"},
                                                            {"UNKNOWN", ""},
                                                            {"SERVICE_UNKNOWN", "\x08\x03"}};
  const auto found = kBytes.find(word);
  return found == kBytes.end() ? nullptr : found->second;
}

bool begins(const std::string& text, std::string_view with) {
  return text.compare(0, with.size(), with) == 0;
}

}  // namespace

/// HTTP/2 with prior knowledge, for gRPC as well.
class ActionHttp2 final : public ActionConnection {
 public:
  using ActionConnection::ActionConnection;

  void open() override { send(h2::settings_frame(json::array({{kMaxConcurrentStreams, 100}}))); }

  void answer(const UpstreamRequestSeen& request, int status, const std::string& body,
              const json& headers) override {
    h2::Headers list{{":status", std::to_string(status)}};
    for (const auto& header : h2::headers_of(headers)) list.push_back(header);
    respond(request.stream, list, to_latin1(body), {});
  }

  bool answer_word(const UpstreamRequestSeen& request, const std::string& word) override {
    const std::uint32_t stream = request.stream;
    if (begins(word, "rststream")) {
      send(h2::rst_stream_frame(stream, number(word.substr(9))));
    } else if (word == "goaway") {
      if (request.path == kGrpcPath) {
        answer_grpc(stream, "ok");
      } else {
        answer(request, 200, "ok", json::array());
      }
      send(h2::goaway_frame(stream, 0));
    } else if (word == "ga-err") {
      send(h2::goaway_frame(0, kInternalError));
    } else {
      return request.path != kGrpcPath ? false : answer_grpc(stream, word);
    }
    return true;
  }

  void end(bool reset) override {
    const bool was_over = over_;
    ActionConnection::end(reset);
    if (!was_over) note({"up_close", name(), "fin"});
  }

 private:
  static constexpr const char* kGrpcPath = "/grpc.health.v1.Health/Check";

  static std::uint32_t number(const std::string& digits) {
    return static_cast<std::uint32_t>(std::strtoul(digits.c_str(), nullptr, 10));
  }

  bool answer_grpc(std::uint32_t stream, const std::string& word) {
    const h2::Headers head{{":status", "200"}, {"content-type", "application/grpc"}};
    const h2::Headers fine{{"grpc-status", "0"}};
    if (const char* const bytes = serving_status(word)) {
      respond(stream, head, message(bytes), fine);
    } else if (begins(word, "gs")) {
      h2::Headers only = head;
      only.emplace_back("grpc-status", word.substr(2));
      respond(stream, only, {}, {});
    } else if (word == "noct") {
      respond(stream, {{":status", "200"}, {"content-type", "text/plain"}}, "hi", {});
    } else if (word == "badmsg") {
      respond(stream, head, message("\xff\xff"), fine);
    } else if (word == "nomsg") {
      respond(stream, head, {}, fine);
    } else if (!word.empty() && word.find_first_not_of("0123456789") == std::string::npos) {
      respond(stream, {{":status", word}}, {}, {});
    } else {
      return false;
    }
    return true;
  }

  void respond(std::uint32_t stream, const h2::Headers& headers, const std::string& body,
               const h2::Headers& trailers) {
    std::string frames = h2::headers_frames(stream, headers, body.empty() && trailers.empty());
    if (!body.empty()) frames += h2::data_frame(stream, body, trailers.empty());
    if (!trailers.empty()) frames += h2::headers_frames(stream, trailers, true);
    send(frames);
  }

  void on_data(std::string_view bytes) override {
    owner_.events_.touch();
    const std::size_t preface = std::min(bytes.size(), preface_left_);
    preface_left_ -= preface;
    reader_.add(bytes.substr(preface));
    for (h2::Frame frame; !over_ && reader_.next(frame);) take(frame);
  }

  void take(const h2::Frame& frame) {
    using h2::Type;
    if (frame.is(Type::Settings) && !frame.ack()) send(h2::settings_ack());
    if (frame.is(Type::Ping) && !frame.ack()) send(h2::ping_frame(frame.payload, true));
    if (frame.is(Type::GoAway)) note({"up_goaway", name(), code_at(frame.payload, 4)});
    if (frame.is(Type::RstStream)) {
      const auto open = ids_.find(frame.stream);
      if (open != ids_.end()) {
        note({"up_stream_reset", name(), open->second, code_at(frame.payload, 0)});
      }
    }
    if (frame.is(Type::Data) && !frame.payload.empty()) {
      const auto size = static_cast<std::uint32_t>(frame.payload.size());
      send(h2::window_update_frame(0, size) + h2::window_update_frame(frame.stream, size));
    }
    if (!frame.is(Type::Headers) && !frame.is(Type::Data)) return;
    UpstreamRequestSeen& request = requests_[frame.stream];
    if (frame.is(Type::Headers)) {
      for (const json& header : frame.record["headers"]) {
        const std::string name = header[0];
        const std::string value = header[1];
        request.lines.push_back(name + ": " + value);
        request.headers[name] = value;
      }
      request.path = request.headers[":path"];
      request.stream = frame.stream;
    } else {
      bodies_[frame.stream] += to_latin1(frame.record["data"].get<std::string>());
    }
    if (!frame.end_stream()) return;
    if (const auto body = bodies_.find(frame.stream); body != bodies_.end()) {
      if (!body->second.empty()) request.lines.push_back("body-hex: " + h2::to_hex(body->second));
      bodies_.erase(body);
    }
    UpstreamRequestSeen whole = std::move(request);
    requests_.erase(frame.stream);
    const auto id = whole.headers.find("x-id");
    ids_[whole.stream] = id == whole.headers.end() ? whole.path : id->second;
    arrived(std::move(whole));
  }

  static std::uint32_t code_at(std::string_view bytes, std::size_t at) {
    std::uint32_t code = 0;
    for (std::size_t i = at; i < at + 4 && i < bytes.size(); ++i) {
      code = code << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return code;
  }

  h2::Reader reader_;
  std::size_t preface_left_ = h2::kPreface.size();
  std::map<std::uint32_t, UpstreamRequestSeen> requests_;  // that are not whole yet
  std::map<std::uint32_t, std::string> bodies_;
  std::map<std::uint32_t, std::string> ids_;
};

std::unique_ptr<ActionConnection> action_http2(ActionUpstream& owner, std::size_t number,
                                               std::unique_ptr<world::Transport> transport) {
  return std::make_unique<ActionHttp2>(owner, number, std::move(transport));
}

}  // namespace conformance::recorded
