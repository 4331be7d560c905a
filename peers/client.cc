#include "peers/client.h"

#include <algorithm>
#include <optional>

#include "peers/client_parts.h"

namespace peers {
namespace {

constexpr std::size_t kMostKeptBytes = 4096;  // of a buffer that waits to be used again

void empty(std::string& buffer) {
  if (buffer.capacity() > kMostKeptBytes) {
    buffer = {};
  } else {
    buffer.clear();
  }
}

}  // namespace

std::string_view failure_text(Ending ending, bool in_answer) {
  switch (ending) {
    case Ending::Refused:
      return "connection refused";
    case Ending::Unreachable:
      return "no route to host";
    case Ending::ConnectTimedOut:
    case Ending::TimedOut:
      return "connection timed out";
    case Ending::PortsExhausted:
      return "no local port is free";
    case Ending::Fin:
      return in_answer ? "closed in the middle of an answer" : "closed before an answer";
    case Ending::Reset:
      return in_answer ? "connection reset in the middle of an answer"
                       : "connection reset before an answer";
    case Ending::BadAnswer:
      return "not an HTTP answer";
    case Ending::TlsFailed:
      return "TLS failed";
  }
  return "?";
}

// --- Lists and memory ----------------------------------------------------------------------

void Client::RequestList::push(Request& request) {
  request.previous = last;
  request.next = nullptr;
  (last != nullptr ? last->next : first) = &request;
  last = &request;
}

void Client::RequestList::remove(Request& request) {
  (request.previous != nullptr ? request.previous->next : first) = request.next;
  (request.next != nullptr ? request.next->previous : last) = request.previous;
  request.previous = request.next = nullptr;
}

/// Takes all out at once. They can no longer be given up: their outcome is decided.
Client::RequestList Client::RequestList::take_all() {
  for (Request* request = first; request != nullptr; request = request->next) {
    request->destination = nullptr;
  }
  return std::exchange(*this, {});
}

std::size_t Client::RequestList::count() const {
  std::size_t count = 0;
  for (Request* request = first; request != nullptr; request = request->next) ++count;
  return count;
}

Client::Request& Client::RequestList::pop() {
  Request& request = *first;
  remove(request);
  return request;
}

Client::Request& Client::new_request() {
  if (free_requests_ == nullptr) {
    requests_.push_back(std::make_unique<Request>(*this));
    free_requests_ = requests_.back().get();
  }
  Request& request = *free_requests_;
  free_requests_ = request.next;
  request.next = nullptr;
  request.id = next_id_++;
  return request;
}

void Client::recycle(Request& request) {
  request.prepared.reset();
  request.destination = nullptr;
  request.connection = nullptr;
  request.id = 0;
  request.status = request.interim_status = 0;
  request.body_held_back = false;
  request.sent = request.first_byte = {};
  empty(request.head);
  empty(request.body);
  request.extra.reset();
  request.next = free_requests_;
  free_requests_ = &request;
}

// --- What users do -------------------------------------------------------------------------

Client::Client(world::World& world, const ClientOptions& options)
    : world_(world), options_(options), resolver_(world) {}

Client::~Client() {
  for (auto& [key, destination] : destinations_) {
    for (Destination::List* list : {&destination->busy, &destination->idle}) {
      while (list->first != nullptr) {
        Connection* connection = list->first;
        list->remove(*connection);
        delete connection;
      }
    }
  }
}

std::uint64_t Client::send(RequestSpec request) {
  return send(std::make_shared<const PreparedRequest>(std::move(request)));
}

std::uint64_t Client::send(std::shared_ptr<const PreparedRequest> prepared) {
  if (prepared->spec.websocket != nullptr) prepared = with_key(*prepared);
  Request& request = new_request();
  request.prepared = std::move(prepared);
  request.asked = world_.now();
  const RequestSpec& spec = request.prepared->spec;
  request.body_held_back = spec.await_continue;
  request.destination = &destination_of(spec);
  if (spec.timeout || spec.cancel_after) {
    request.timer.start_after(std::min(spec.timeout.value_or(world::Duration::max()),
                                       spec.cancel_after.value_or(world::Duration::max())));
  }
  ++counts_.sent;
  const std::uint64_t id = request.id;
  request.destination->waiting.push(request);
  pump(*request.destination);
  return id;
}

/// The same request with a key of its own, if it has none.
std::shared_ptr<const PreparedRequest> Client::with_key(const PreparedRequest& prepared) {
  RequestSpec spec = prepared.spec;
  if (find_header(spec.headers, "sec-websocket-key") == nullptr) {
    world::Random random = world_.random("websocket key " + std::to_string(next_id_));
    spec.headers.push_back({"Sec-WebSocket-Key", wire::websocket_key(random)});
  }
  return std::make_shared<const PreparedRequest>(std::move(spec));
}

Client::Destination& Client::destination_of(const RequestSpec& spec) {
  const std::uint16_t port = spec.address ? spec.address->port : spec.port;
  if (!spec.address && last_destination_ != nullptr && last_destination_->port == port &&
      last_destination_->protocol == spec.protocol && last_destination_->host == spec.host &&
      (last_destination_->tls != nullptr) == spec.secure()) {
    return *last_destination_;
  }
  std::string host = spec.address ? spec.address->address_text() : spec.host;
  auto& destination = destinations_[{host, port, spec.protocol, spec.secure()}];
  if (!destination) {
    destination = std::make_unique<Destination>();
    destination->host = std::move(host);
    destination->port = port;
    destination->protocol = spec.protocol;
    if (spec.secure() && options_.tls) destination->tls = options_.tls(spec);
  }
  last_destination_ = destination.get();
  return *destination;
}

bool Client::give_up(std::uint64_t id) {
  if (id == 0) return false;
  for (const auto& request : requests_) {
    if (request->id == id && request->destination != nullptr) {
      give_up(*request, "given up");
      return true;
    }
  }
  return false;
}

void Client::close_idle() {
  for (auto& [key, destination] : destinations_) {
    while (destination->idle.first != nullptr) discard(*destination->idle.first);
  }
}

// --- Sending -------------------------------------------------------------------------------

void Client::pump(Destination& destination) {
  while (!destination.waiting.empty()) {
    Connection* connection = choose(destination);
    if (connection == nullptr) return;
    assign(*connection, destination.waiting.pop());
  }
}

/// A connection that may have one more request now, or nullptr.
Client::Connection* Client::choose(Destination& destination) {
  if (destination.protocol == Protocol::Http2) return choose_http2(destination);
  if (destination.waiting.first->prepared->spec.websocket != nullptr) {
    Connection* const opened = open(destination);
    if (opened != nullptr) opened->for_websocket = true;
    return opened;
  }
  Connection* const idle = destination.idle.first;
  Connection* busy = destination.busy.first;
  while (busy != nullptr && busy->for_websocket) busy = busy->next;
  switch (options_.policy) {
    case ConnectionPolicy::One:
      if (idle != nullptr) return idle;
      return busy != nullptr ? nullptr : open(destination);
    case ConnectionPolicy::Pipeline:
      if (idle != nullptr) return idle;
      return busy != nullptr ? busy : open(destination);
    case ConnectionPolicy::Many:
      return idle != nullptr ? idle : open(destination);
    case ConnectionPolicy::New:
      break;
  }
  return open(destination);
}

/// Many requests at once, as far as the peer takes them.
Client::Connection* Client::choose_http2(Destination& destination) {
  if (options_.policy == ConnectionPolicy::New) return open(destination);
  bool full = false;
  for (const Destination::List* list : {&destination.busy, &destination.idle}) {
    for (Connection* each = list->first; each != nullptr; each = each->next) {
      if (each->http2->takes_more(each->streams)) return each;
      full = full || each->http2->takes_streams();
    }
  }
  return full ? nullptr : open(destination);
}

Client::Connection* Client::open(Destination& destination) {
  if (!destination.resolved_now) {
    const world::Resolution* known = resolver_.cached(destination.host);
    if (known == nullptr) {
      resolve(destination);
      return nullptr;
    }
    destination.addresses = known->addresses;
  }
  auto* connection = new Connection(*this, destination);  // owned by the list
  destination.busy.push(*connection);
  link(*connection, world::Endpoint{destination.addresses[0], destination.port});
  ++counts_.connections;
  ++counts_.opened;
  return connection;
}

void Client::link(Connection& connection, const world::Endpoint& remote) {
  if (connection.destination.protocol == Protocol::Http2) {
    connection.http2 = std::make_unique<Http2Link>(connection, remote);
  } else {
    Destination& destination = connection.destination;
    if (destination.tls == nullptr) {
      connection.link.emplace(world_, remote, connection);
    } else {
      connection.link.emplace(world_, remote, connection, destination.tls, destination.sessions);
    }
  }
}

void Client::resolve(Destination& destination) {
  if (destination.resolving) return;
  destination.resolving = true;
  resolver_.ask(destination.host, [this, &destination](const world::Resolution& answer) {
    destination.resolving = false;
    if (answer.status != world::Resolution::Status::Found || answer.addresses.empty()) {
      RequestList failed = destination.waiting.take_all();
      fail_all(failed, "name does not resolve: " + destination.host, {});
      return;
    }
    destination.addresses = answer.addresses;
    destination.resolved_now = true;
    pump(destination);
    destination.resolved_now = false;
  });
}

void Client::assign(Connection& connection, Request& request) {
  if (connection.idle) {
    connection.idle = false;
    connection.destination.idle.remove(connection);
    connection.destination.busy.push(connection);
  }
  connection.requests.push(request);
  request.connection = &connection;
  if (connection.http2 != nullptr) ++connection.streams;
  if (connection.connected()) write(connection, request);
}

void Client::write(Connection& connection, Request& request) {
  const PreparedRequest& prepared = *request.prepared;
  if (connection.http2 != nullptr) {
    request.sent = world_.now();
    connection.http2->begin(request);
    return;
  }
  connection.link->send(request.body_held_back ? prepared.head()
                                               : std::string_view(prepared.bytes));
  request.sent = world_.now();
  world_.trace(world::TraceKind::RequestSent, connection.link->flow(), request.id, 0,
               prepared.head());
}

void Client::discard(Connection& connection) {
  Destination& destination = connection.destination;
  (connection.idle ? destination.idle : destination.busy).remove(connection);
  --counts_.connections;
  delete &connection;
}

// --- What connections say ------------------------------------------------------------------

void Client::connected(Connection& connection) {
  for (Request* request = connection.requests.first; request != nullptr; request = request->next) {
    write(connection, *request);
  }
}

bool Client::head_read(Connection& connection) {
  const ResponseReader& answer = connection.link->answer();
  if (connection.requests.empty()) {  // nobody asked: nothing after it can be trusted
    connection.last_answer = true;
    return true;
  }
  Request& request = *connection.requests.first;
  if (answer.status() < 200 && answer.status() != 101) {
    request.interim_status = answer.status();
    if (answer.status() == 100 && request.body_held_back) {
      request.body_held_back = false;
      connection.link->send_more(request.prepared->body());
    }
    return true;
  }
  request.status = answer.status();
  request.first_byte = world_.now();
  request.head.assign(answer.head());
  if (answer.status() == 101 && request.prepared->spec.websocket != nullptr) {
    return begin_websocket(connection, request);
  }
  const bool tunnel = request.prepared->spec.method == "CONNECT" && answer.status() / 100 == 2;
  // A request whose body was held back is not whole: another one cannot follow it.
  connection.last_answer = !answer.keeps_alive() || tunnel || request.body_held_back ||
                           request.prepared->wants_close ||
                           options_.policy == ConnectionPolicy::New || connection.for_websocket;
  return !request.prepared->is_head && !tunnel;
}

void Client::answered(Connection& connection) {
  if (connection.requests.empty()) {
    discard(connection);
    return;
  }
  Destination& destination = connection.destination;
  Request& request = connection.requests.pop();
  const Where where = connection.where();
  RequestList orphans;
  if (connection.last_answer) {
    orphans = connection.requests.take_all();
    discard(connection);
  } else if (connection.requests.empty()) {
    destination.busy.remove(connection);
    destination.idle.push(connection);
    connection.idle = true;
  }
  end(request, {}, where);
  fail_all(orphans, failure_text(Ending::Fin, false), where);
  pump(destination);
}

bool Client::begin_websocket(Connection& connection, Request& request) {
  const HeaderLines lines = header_lines(request.head);
  const HeaderLine* const accept = find_header(lines, "sec-websocket-accept");
  const HeaderLine* const key = find_header(request.prepared->spec.headers, "sec-websocket-key");
  connection.last_answer = true;
  connection.link->tunnel();
  if (accept == nullptr || accept->value != wire::websocket_accept(key->value)) {
    over(connection, Ending::BadAnswer);
    return true;
  }
  connection.websocket = std::make_unique<WebSocketEnd>(
      world_, wire::WebSocket::Role::Client, *request.prepared->spec.websocket,
      connection.link->transport(), [this, &connection] { websocket_done(connection); });
  connection.websocket->start();
  return true;
}

void Client::websocket_done(Connection& connection) {
  Destination& destination = connection.destination;
  Request& request = connection.requests.pop();
  request.extra = std::make_unique<Extra>();
  request.extra->frames = connection.websocket->frames();
  const Where where = connection.where();
  discard(connection);
  end(request, {}, where);
  pump(destination);
}

/// Tells the outcomes that are decided, and ends the connection where nothing can follow.
void Client::settle(Connection& connection) {
  Destination& destination = connection.destination;
  Http2Link& link = *connection.http2;
  RequestList ended = std::exchange(link.ended, {});
  connection.streams -= ended.count();
  for (Request* request = ended.first; request != nullptr; request = request->next) {
    request->extra->stream_id = request->extra->stream->id();
    request->extra->stream.reset();
  }
  Where where = connection.where();
  const bool last = !link.takes_streams() || options_.policy == ConnectionPolicy::New;
  if (connection.requests.empty() && !link.over) {
    if (last) {
      discard(connection);
    } else if (!connection.idle) {
      destination.busy.remove(connection);
      destination.idle.push(connection);
      connection.idle = true;
    }
  }
  while (!ended.empty()) {
    Request& request = ended.pop();
    where.stream = request.extra->stream_id;
    const std::string failure = request.extra->failure;
    end(request, failure, where);
  }
  pump(destination);
}

void Client::over(Connection& connection, Ending ending) {
  Destination& destination = connection.destination;
  const std::size_t next_address = connection.address_index + std::size_t{1};
  if (!connection.connected() && ending != Ending::PortsExhausted && ending != Ending::TlsFailed &&
      next_address < destination.addresses.size()) {
    ++connection.address_index;
    link(connection, world::Endpoint{destination.addresses[next_address], destination.port});
    return;
  }
  if (connection.websocket != nullptr && ending == Ending::Fin) {
    websocket_done(connection);
    return;
  }
  if (connection.http2 != nullptr) {
    http2_over(connection, ending);
    return;
  }
  const Where where = connection.where();
  RequestList orphans = connection.requests.take_all();
  discard(connection);
  if (!orphans.empty() && orphans.first->status != 0) {
    end(orphans.pop(), failure_text(ending, true), where);
  }
  fail_all(orphans, failure_text(ending, false), where);
  pump(destination);
}

// --- Outcomes ------------------------------------------------------------------------------

void Client::give_up(Request& request, std::string_view why) {
  Destination& destination = *request.destination;
  if (request.connection == nullptr) {
    destination.waiting.remove(request);
    end(request, why, {});
    return;
  }
  Connection& connection = *request.connection;
  Where where = connection.where();
  connection.requests.remove(request);
  RequestList orphans;
  if (connection.http2 != nullptr) {
    --connection.streams;
    if (request.extra != nullptr) {
      where.stream = request.extra->stream->id();
      request.extra->stream->reset(wire::http2::ErrorCode::Cancel);
      request.extra->stream.reset();
    }
    if (!connection.requests.empty()) {
      end(request, why, where);
      pump(destination);
      return;
    }
    const bool keep = connection.connected() && connection.http2->takes_streams() &&
                      options_.policy != ConnectionPolicy::New;
    if (keep) {
      destination.busy.remove(connection);
      destination.idle.push(connection);
      connection.idle = true;
      end(request, why, where);
      pump(destination);
      return;
    }
  } else if (connection.link->connected())
    orphans = connection.requests.take_all();
  if (connection.requests.empty()) discard(connection);
  end(request, why, where);
  fail_all(orphans, failure_text(Ending::Fin, false), where);
  pump(destination);
}

void Client::end(Request& request, std::string_view failure, const Where& where) {
  request.timer.stop();
  request.destination = nullptr;  // it cannot be given up any more
  const bool ok = failure.empty();
  ++(ok ? counts_.answered : counts_.failed);
  world_.trace(ok ? world::TraceKind::ResponseReceived : world::TraceKind::RequestFailed,
               world::stream_flow(where.flow, where.stream), request.id, request.status,
               ok ? request.head : failure);
  if (options_.observer != nullptr) {
    static const Extra kNone{};
    const Extra& extra = request.extra != nullptr ? *request.extra : kNone;
    options_.observer->on_outcome({.id = request.id,
                                   .request = *request.prepared,
                                   .asked = request.asked,
                                   .sent = request.sent,
                                   .first_byte = request.first_byte,
                                   .ended = world_.now(),
                                   .status = request.status,
                                   .interim_status = request.interim_status,
                                   .head = request.head,
                                   .body = request.body,
                                   .failure = failure,
                                   .flow = where.flow,
                                   .local = where.local,
                                   .remote = where.remote,
                                   .tls = where.tls,
                                   .stream = where.stream,
                                   .trailers = extra.trailers,
                                   .data = extra.data,
                                   .frames = extra.frames});
  }
  recycle(request);
}

void Client::fail_all(RequestList& requests, std::string_view failure, const Where& where) {
  while (!requests.empty()) end(requests.pop(), failure, where);
}

}  // namespace peers
