#include <cstdlib>
#include <utility>

#include "peers/client_parts.h"
#include "peers/http2_parts.h"

namespace peers {

using wire::http2::ErrorCode;

/// One request as a stream. What comes is written into the request.
class Client::Http2Stream final : public wire::http2::Stream {
 public:
  Http2Stream(Http2Link& link, Request& request)
      : link_(link),
        request_(request),
        timer_(request.client.world_.timer(world::bind<&Http2Stream::send_piece>(this))) {}

  /// Sends the body, or what of it goes before the first pause.
  void send_body() {
    const RequestSpec& spec = request_.prepared->spec;
    if (!spec.pieces.empty()) {
      next_piece();
      return;
    }
    const bool ends = spec.trailers.empty();
    if (!spec.chunks.empty()) {
      for (const std::string& chunk : spec.chunks) {
        send_data(chunk, ends && &chunk == &spec.chunks.back());
      }
    } else if (spec.body) {
      send_data(*spec.body, ends);
    }
    if (!ends) send_trailers(header_map(spec.trailers));
  }

  bool done = false;  // its outcome is decided

 private:
  const RequestSpec& spec() const { return request_.prepared->spec; }

  void next_piece() {
    while (piece_ < spec().pieces.size()) {
      if (const world::Duration pause = spec().pieces[piece_].pause; pause > world::Duration{}) {
        timer_.start_after(pause);
        return;
      }
      send_one();
    }
  }
  void send_piece() {
    send_one();
    next_piece();
  }
  void send_one() {
    const BodyPiece& piece = spec().pieces[piece_++];
    const bool last = piece_ == spec().pieces.size();
    const bool ends = last && spec().trailers.empty();
    if (ends || !piece.bytes.empty()) send_data(piece.bytes, ends);
    if (last && !ends) send_trailers(header_map(spec().trailers));
  }

  wire::ResponseHead& response_head() override { return head_; }

  void on_head(bool ends) override {
    if (head_.status < 200) {
      request_.interim_status = head_.status;
      const bool go_on = head_.status == 100 && request_.body_held_back;
      head_.clear();
      if (go_on) {
        request_.body_held_back = false;
        send_body();
      }
      return;
    }
    request_.status = head_.status;
    request_.first_byte = request_.client.world_.now();
    request_.head = head_text(head_.status, head_.headers);
    if (ends) complete();
  }

  void on_data(std::string_view bytes, bool ends) override {
    if (request_.client.options_.observer != nullptr) {
      request_.body.append(bytes);
      if (!bytes.empty()) {
        request_.extra->data.push_back({request_.client.world_.now(), request_.body.size()});
      }
    }
    if (ends) complete();
  }

  void on_trailers(wire::HeaderMap& trailers) override {
    request_.extra->trailers = lines_of(trailers);
    complete();
  }

  void on_closed(const wire::http2::StreamEnd& end) override {
    if (!done) decide(link_.failure_of(id(), end));
  }

  void complete() {
    if (!local_ended()) {
      timer_.stop();
      reset(ErrorCode::NoError);  // the rest of the request is of no use
    }
    decide({});
  }

  void decide(std::string failure) {
    done = true;
    timer_.stop();
    request_.extra->failure = std::move(failure);
    link_.connection.requests.remove(request_);
    request_.destination = nullptr;  // it can no longer be given up
    link_.ended.push(request_);
  }

  Http2Link& link_;
  Request& request_;
  wire::ResponseHead head_;
  std::size_t piece_ = 0;
  world::Timer timer_;
};

Client::Http2Link::Http2Link(Connection& owner, const world::Endpoint& remote)
    : connection(owner),
      session(wire::http2::Session::Role::Client, peer_session_options(), *this),
      transport(open(remote)) {}

std::unique_ptr<world::Transport> Client::Http2Link::open(const world::Endpoint& remote) {
  Destination& destination = connection.destination;
  world::World& world = connection.client.world_;
  if (destination.tls == nullptr) return world.connect(remote, *this);
  auto secure = wire::tls::TlsTransport::connect(world, destination.tls, remote, *this,
                                                 &destination.sessions);
  tls = secure.get();
  return secure;
}

Client::Http2Link::~Http2Link() {
  if (destroyed != nullptr) *destroyed = true;
}

void Client::Http2Link::begin(Request& request) {
  const PreparedRequest& prepared = *request.prepared;
  const RequestSpec& spec = prepared.spec;
  request.extra = std::make_unique<Extra>();
  auto stream = std::make_unique<Http2Stream>(*this, request);
  Http2Stream& sending = *stream;
  request.extra->stream = std::move(stream);
  const bool has_body = spec.body.has_value() || !spec.chunks.empty() || !spec.pieces.empty() ||
                        !spec.trailers.empty();
  session.send_request(sending, prepared.http2, !has_body);
  world::World& world = connection.client.world_;
  world.trace(world::TraceKind::RequestSent, world::stream_flow(transport->flow(), sending.id()),
              request.id, 0, prepared.head());
  if (has_body && !request.body_held_back) sending.send_body();
}

void Client::Http2Link::flush() {
  if (over) return;
  out.clear();
  session.take_output(out);
  if (!out.empty()) transport->write(out);
}

std::string Client::Http2Link::failure_of(std::int32_t stream,
                                          const wire::http2::StreamEnd& end) const {
  if (going_away && stream > last_taken) return "GOAWAY: " + code_text(goaway_code);
  return "stream reset: " + code_text(end.code);
}

void Client::Http2Link::on_connected() {
  connected = true;
  flush();
  connection.client.connected(connection);
}

void Client::Http2Link::on_data(std::string_view bytes) {
  bool gone = false;
  destroyed = &gone;
  const bool good = session.feed(bytes);
  flush();
  const bool any = !ended.empty() || going_away;
  if (any) connection.client.settle(connection);
  if (gone) return;
  destroyed = nullptr;
  if (good) {
    if (!any) connection.client.pump(connection.destination);  // it may take more streams now
    return;
  }
  over = true;
  connection.client.over(connection, Ending::BadAnswer);
}

void Client::Http2Link::on_end() {
  over = true;
  connection.client.over(connection, Ending::Fin);
}

void Client::Http2Link::on_error(std::error_code error) {
  over = true;
  const Ending ending = ending_of(error);
  connection.client.over(
      connection, ending == Ending::TimedOut && !connected ? Ending::ConnectTimedOut : ending);
}

wire::http2::Stream& Client::Http2Link::on_stream() {
  std::abort();  // a client's session takes no streams: push is off
}

void Client::Http2Link::on_goaway(std::int32_t last_stream, ErrorCode code) {
  going_away = true;
  last_taken = last_stream;
  goaway_code = code;
}

void Client::http2_over(Connection& connection, Ending ending) {
  Destination& destination = connection.destination;
  Http2Link& link = *connection.http2;
  const bool refused = link.going_away && link.goaway_code != ErrorCode::NoError;
  const std::string goaway = "GOAWAY: " + code_text(link.goaway_code);
  Where where = connection.where();
  RequestList orphans = connection.requests.take_all();
  for (Request* request = orphans.first; request != nullptr; request = request->next) {
    if (request->extra != nullptr) request->extra->stream_id = request->extra->stream->id();
    if (request->extra != nullptr) request->extra->stream.reset();  // before its session goes
  }
  RequestList ended = std::exchange(link.ended, {});
  for (Request* request = ended.first; request != nullptr; request = request->next) {
    request->extra->stream_id = request->extra->stream->id();
    request->extra->stream.reset();
  }
  discard(connection);
  while (!ended.empty()) {
    Request& request = ended.pop();
    where.stream = request.extra->stream_id;
    const std::string failure = request.extra->failure;
    end(request, failure, where);
  }
  while (!orphans.empty()) {
    Request& request = orphans.pop();
    where.stream = request.extra != nullptr ? request.extra->stream_id : 0;
    end(request, refused ? std::string_view(goaway) : failure_text(ending, request.status != 0),
        where);
  }
  pump(destination);
}

}  // namespace peers
