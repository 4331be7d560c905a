#include "peers/service.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "peers/echo.h"
#include "peers/grpc.h"
#include "peers/service_connection.h"
#include "peers/service_http2.h"
#include "wire/grpc_health.h"

namespace peers {
namespace {

using ConnectionEvent = ServiceObserver::ConnectionEvent;
using wire::http1::RequestHead;

constexpr std::size_t kMostSpareHeads = 64;

/// Source: ENV-HC-01, NLB-86.
bool is_checker(std::string_view user_agent) {
  return user_agent == "Envoy/HC" || user_agent.rfind("ELB-HealthChecker/", 0) == 0;
}

}  // namespace

Service::Service(world::World& world, ServiceOptions options)
    : world_(world), options_(std::move(options)), script_(std::move(options_.script)) {
  static const std::shared_ptr<const ServiceScript> kEcho = prepare({});
  if (script_ == nullptr) script_ = kEcho;
}

Service::~Service() {
  listener_.reset();
  while (first_ != nullptr) remove(*first_);
}

world::Result<bool> Service::start() {
  if (listener_ != nullptr) return true;
  auto listener = world_.listen({0, options_.port}, *this);
  if (!listener) return listener.error();
  listener_ = std::move(listener).value();
  return true;
}

void Service::set_script(std::shared_ptr<const ServiceScript> script) {
  script_ = std::move(script);
  script_position_ = check_position_ = connect_position_ = 0;
}

Service::Choice Service::choose(const wire::RequestHead& head) {
  Choice choice;
  choice.number = counts_.requests + counts_.checks + 1;
  const Behaviour& behaviour = script_->behaviour;
  const std::size_t last = behaviour.answers.size() - 1;
  const bool grpc_check = head.target == wire::grpc::kHealthCheckPath;
  if (!grpc_check && !is_checker(head.headers.get(wire::HeaderName::UserAgent))) {
    ++counts_.requests;
    choice.answer = std::min(script_position_++, last);
    return choice;
  }
  ++counts_.checks;
  choice.check = true;
  if (!behaviour.checks.empty()) {
    choice.answer =
        behaviour.answers.size() + std::min(check_position_++, behaviour.checks.size() - 1);
    return choice;
  }
  choice.answer = std::min(script_position_, last);
  const Answer& as_any = script_->answer(choice.answer);
  const bool fine = !as_any.never && as_any.status == 200 && as_any.raw.empty() &&
                    !as_any.reset_stream && as_any.then == Answer::Then::Keep;
  if (grpc_check && fine && options_.protocol == Protocol::Http2)
    choice.answer = script_->serving();
  return choice;
}

void Service::drop_connections(bool reset) {
  for (AnyConnection* connection = first_; connection != nullptr;) {
    AnyConnection* const next = connection->next;
    connection->drop(reset);
    connection = next;
  }
}

void Service::on_accept(std::unique_ptr<world::Transport> transport) {
  const std::uint64_t number = ++counts_.accepted;
  const auto& script = script_->behaviour.on_connect;
  const OnConnect what = connect_position_ < script.size() ? script[connect_position_++]
                                                           : script_->behaviour.on_connect_default;
  if (options_.observer != nullptr) {
    options_.observer->on_connection(number, ConnectionEvent::Accepted);
  }
  if (what != OnConnect::Serve) {
    what == OnConnect::Reset ? transport->reset() : transport->close();
    if (options_.observer != nullptr) {
      options_.observer->on_connection(number, ConnectionEvent::Closed);
    }
    return;
  }
  const wire::tls::TlsTransport* tls = nullptr;
  if (options_.tls) {
    auto context = options_.tls();
    if (context == nullptr) return;  // which closes it
    auto secure = std::make_unique<wire::tls::TlsTransport>(world_, std::move(context),
                                                            std::move(transport), &sessions_);
    tls = secure.get();
    transport = std::move(secure);
  }
  AnyConnection* connection = nullptr;  // owned by the list
  if (options_.protocol == Protocol::Http2) {
    connection = new Http2Connection(*this, std::move(transport), number);
  } else {
    connection = new Connection(*this, std::move(transport), number);
  }
  connection->tls = tls;
  connection->previous = last_;
  (last_ != nullptr ? last_->next : first_) = connection;
  last_ = connection;
  ++counts_.connections;
}

void Service::remove(AnyConnection& connection) {
  (connection.previous != nullptr ? connection.previous->next : first_) = connection.next;
  (connection.next != nullptr ? connection.next->previous : last_) = connection.previous;
  --counts_.connections;
  delete &connection;
}

std::unique_ptr<RequestHead> Service::take_spare_head() {
  if (spare_heads_.empty()) return std::make_unique<RequestHead>();
  std::unique_ptr<RequestHead> head = std::move(spare_heads_.back());
  spare_heads_.pop_back();
  return head;
}

void Service::give_spare_head(std::unique_ptr<RequestHead> head) {
  if (spare_heads_.size() < kMostSpareHeads) spare_heads_.push_back(std::move(head));
}

}  // namespace peers
