#include "peers/client.h"

#include <optional>

namespace peers {
namespace {

constexpr std::size_t kMostKeptBytes = 4096;  // of a buffer that waits to be used again

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
  }
  return "?";
}

void empty(std::string& buffer) {
  if (buffer.capacity() > kMostKeptBytes) {
    buffer = {};
  } else {
    buffer.clear();
  }
}

}  // namespace

/// The connection a request was on, as far as its outcome tells.
struct Client::Where {
  std::uint64_t flow = 0;
  world::Endpoint local{};
  world::Endpoint remote{};
};

struct Client::Request {
  explicit Request(Client& owner)
      : client(owner), timer(owner.world_.timer(world::bind<&Request::expired>(this))) {}

  void expired() { client.give_up(*this, "timed out waiting"); }

  Client& client;
  Request* previous = nullptr;
  Request* next = nullptr;  // in a list, or among the free ones
  Destination* destination = nullptr;
  Connection* connection = nullptr;  // none while it waits for one
  std::shared_ptr<const PreparedRequest> prepared;
  std::uint64_t id = 0;  // 0: free
  std::uint16_t status = 0;
  std::uint16_t interim_status = 0;
  bool body_held_back = false;  // until "100 Continue"
  world::TimePoint asked{};
  world::TimePoint sent{};
  world::TimePoint first_byte{};
  std::string head;
  std::string body;
  world::Timer timer;
};

struct Client::Connection final : ClientConnectionEvents {
  Connection(Client& owner, Destination& to) : client(owner), destination(to) {}

  void on_connected(ClientConnection&) override { client.connected(*this); }
  bool on_head(ClientConnection&) override { return client.head_read(*this); }
  void on_body(ClientConnection&, std::string_view bytes) override {
    if (client.options_.observer != nullptr && !requests.empty()) {
      requests.first->body.append(bytes);
    }
  }
  void on_answer(ClientConnection&) override { client.answered(*this); }
  void on_over(ClientConnection&, Ending ending) override { client.over(*this, ending); }

  Where where() const { return {link->flow(), link->local(), link->remote()}; }

  Client& client;
  Destination& destination;
  Connection* previous = nullptr;  // among all of the destination, or among its idle ones
  Connection* next = nullptr;
  RequestList requests;  // in order of sending; written once it is connected
  std::uint32_t address_index = 0;
  bool idle = false;
  bool last_answer = false;  // the answer that is being read is the last one
  std::optional<ClientConnection> link;
};

struct Client::Destination {
  /// Connections, linked through themselves. Each is in one of the two lists.
  struct List {
    Connection* first = nullptr;
    void push(Connection& connection) {
      connection.previous = nullptr;
      connection.next = first;
      if (first != nullptr) first->previous = &connection;
      first = &connection;
    }
    void remove(Connection& connection) {
      (connection.previous != nullptr ? connection.previous->next : first) = connection.next;
      if (connection.next != nullptr) connection.next->previous = connection.previous;
    }
  };

  std::string host;
  std::uint16_t port = 0;
  bool resolving = false;
  bool resolved_now = false;  // `addresses` is an answer of this instant, whatever its time to live
  std::vector<std::uint32_t> addresses;
  RequestList waiting;
  List busy;  // or being opened; the last one first
  List idle;  // the last used one first
};

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
  Request& request = new_request();
  request.prepared = std::move(prepared);
  request.asked = world_.now();
  const RequestSpec& spec = request.prepared->spec;
  request.body_held_back = spec.await_continue;
  request.destination = &destination_of(spec);
  if (spec.timeout) request.timer.start_after(*spec.timeout);
  ++counts_.sent;
  const std::uint64_t id = request.id;
  request.destination->waiting.push(request);
  pump(*request.destination);
  return id;
}

Client::Destination& Client::destination_of(const RequestSpec& spec) {
  const std::uint16_t port = spec.address ? spec.address->port : spec.port;
  if (!spec.address && last_destination_ != nullptr && last_destination_->port == port &&
      last_destination_->host == spec.host) {
    return *last_destination_;
  }
  std::string host = spec.address ? spec.address->address_text() : spec.host;
  auto& destination = destinations_[{host, port}];
  if (!destination) {
    destination = std::make_unique<Destination>();
    destination->host = std::move(host);
    destination->port = port;
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
  Connection* const idle = destination.idle.first;
  Connection* const busy = destination.busy.first;
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
  connection->link.emplace(world_, world::Endpoint{destination.addresses[0], destination.port},
                           *connection);
  ++counts_.connections;
  ++counts_.opened;
  return connection;
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
  if (connection.link->connected()) write(connection, request);
}

void Client::write(Connection& connection, Request& request) {
  const PreparedRequest& prepared = *request.prepared;
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
  const bool tunnel = request.prepared->spec.method == "CONNECT" && answer.status() / 100 == 2;
  // A request whose body was held back is not whole: another one cannot follow it.
  connection.last_answer = !answer.keeps_alive() || tunnel || request.body_held_back ||
                           request.prepared->wants_close ||
                           options_.policy == ConnectionPolicy::New;
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

void Client::over(Connection& connection, Ending ending) {
  Destination& destination = connection.destination;
  const std::size_t next_address = connection.address_index + std::size_t{1};
  if (!connection.link->connected() && ending != Ending::PortsExhausted &&
      next_address < destination.addresses.size()) {
    ++connection.address_index;
    connection.link.emplace(
        world_, world::Endpoint{destination.addresses[next_address], destination.port}, connection);
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
  const Where where = connection.where();
  connection.requests.remove(request);
  RequestList orphans;
  if (connection.link->connected()) orphans = connection.requests.take_all();
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
               where.flow, request.id, request.status, ok ? request.head : failure);
  if (options_.observer != nullptr) {
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
                                   .remote = where.remote});
  }
  recycle(request);
}

void Client::fail_all(RequestList& requests, std::string_view failure, const Where& where) {
  while (!requests.empty()) end(requests.pop(), failure, where);
}

}  // namespace peers
