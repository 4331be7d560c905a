#include "peers/health_checker.h"

#include <algorithm>

namespace peers {

HealthChecker::HealthChecker(Place place, const HealthCheckOptions& options,
                             HealthCheckEvents& events)
    : place_(std::move(place)),
      options_(options),
      events_(events),
      port_(place_.first_port),
      next_(place_.world.timer(world::bind<&HealthChecker::check>(this))),
      timeout_(place_.world.timer(world::bind<&HealthChecker::timed_out>(this))) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::check() {
  next_.start_after(options_.interval);
  if (transport_) return;
  ++checks_;
  reader_ = {};
  world::Endpoint remote = place_.target;
  if (options_.port != 0) remote.port = options_.port;
  timeout_.start_after(options_.timeout);
  if (port_ == 0) {
    transport_ = place_.world.connect(remote, *this);
    return;
  }
  transport_ = place_.world.connect_from(port_, remote, *this);
  port_ = port_ == place_.last_port ? place_.first_port : static_cast<std::uint16_t>(port_ + 1);
}

void HealthChecker::on_connected() {
  if (!options_.http) {
    done(true);
    return;
  }
  // Source: NLB-84, NLB-86.
  transport_->write(place_.preamble + "GET " + options_.path +
                    " HTTP/1.1\r\nHost: " + place_.authority +
                    "\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
                    "Accept-Encoding: gzip, compressed\r\n\r\n");
}

bool HealthChecker::code_fits() const {
  const std::uint16_t code = reader_.status();
  return std::any_of(options_.codes.begin(), options_.codes.end(),
                     [&](const HealthCheckOptions::Codes& fits) {
                       return fits.first <= code && code <= fits.last;
                     });
}

void HealthChecker::on_data(std::string_view bytes) {
  using Found = ResponseReader::Found;
  for (Found found = reader_.next(bytes); found != Found::NeedMore; found = reader_.next(bytes)) {
    if (found == Found::Bad) return done(false);
    if (found == Found::Head && reader_.status() >= 200) return done(code_fits());
  }
}

void HealthChecker::on_error(std::error_code) {
  done(false);
}

void HealthChecker::done(bool passed) {
  timeout_.stop();
  transport_.reset();
  events_.on_checked(place_.target, place_.checker, passed);
}

}  // namespace peers
