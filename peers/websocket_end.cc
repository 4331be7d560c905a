#include "peers/websocket_end.h"

#include <utility>

namespace peers {

using wire::WebSocketOpcode;

WebSocketEnd::WebSocketEnd(world::World& world, wire::WebSocket::Role role,
                           const WebSocketScript& script, world::Transport& transport,
                           std::function<void()> done)
    : world_(world),
      role_(role),
      script_(script),
      transport_(transport),
      done_(std::move(done)),
      socket_(role, world.random("websocket " + std::to_string(transport.flow())), *this),
      timer_(world.timer(world::bind<&WebSocketEnd::go_on>(this))) {}

void WebSocketEnd::on_data(std::string_view bytes) {
  const bool broken = !socket_.feed(bytes);
  flush();
  const bool closed = socket_.close_sent() && socket_.close_received();
  if (broken || (closed && role_ == wire::WebSocket::Role::Server)) {
    transport_.close();
    end();
    return;
  }
  go_on();
}

void WebSocketEnd::on_message(WebSocketOpcode opcode, std::string_view bytes, std::uint16_t code) {
  frames_.push_back({opcode, std::string(bytes), code, world_.now()});
  if (script_.echo && (opcode == WebSocketOpcode::Text || opcode == WebSocketOpcode::Binary)) {
    socket_.send(opcode, bytes);
    flush();  // else a pong that is due after it would go first
  }
}

void WebSocketEnd::go_on() {
  if (timer_.running()) return;
  if (!work()) end();
}

/// Nothing of this object is touched afterwards: it may be gone.
void WebSocketEnd::end() {
  const auto done = std::move(done_);
  done();
}

bool WebSocketEnd::work() {
  while (step_ < script_.steps.size()) {
    const WebSocketStep& step = script_.steps[step_];
    switch (step.kind) {
      case WebSocketStep::Kind::Send:
        send(step.frame);
        break;
      case WebSocketStep::Kind::Pause:
        ++step_;
        timer_.start_after(step.pause);
        return true;
      case WebSocketStep::Kind::Await:
        if (frames_.size() - awaited_ < step.count) return true;
        awaited_ += step.count;
        break;
      case WebSocketStep::Kind::Finish:
        if (!finished_) transport_.finish();
        finished_ = true;
        break;
      case WebSocketStep::Kind::Close:
        transport_.close();
        return false;
      case WebSocketStep::Kind::Reset:
        transport_.reset();
        return false;
    }
    ++step_;
  }
  return true;
}

void WebSocketEnd::send(const WebSocketFrame& frame) {
  if (frame.opcode == WebSocketOpcode::Close) {
    socket_.close(frame.code, frame.bytes);
  } else {
    socket_.send(frame.opcode, frame.bytes);
  }
  flush();
}

void WebSocketEnd::flush() {
  if (finished_) return;
  std::string out;
  socket_.take_output(out);
  if (!out.empty()) transport_.write(out);
}

}  // namespace peers
