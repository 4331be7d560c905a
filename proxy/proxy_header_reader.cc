#include "proxy/proxy_header_reader.h"

#include <utility>

#include "wire/proxy_protocol.h"

namespace proxy {

using wire::proxy_protocol::Reading;

ProxyHeaderReader::ProxyHeaderReader(Hop& hop, std::unique_ptr<world::Transport> transport)
    : Downstream(hop, std::move(transport)) {
  start_timer(hop.plan().timers.proxy_header);
}

void ProxyHeaderReader::on_data(std::string_view bytes) {
  const Cork::Event event(hop_.cork());
  bytes_ += bytes;
  const bool optional = hop_.plan().proxy_protocol == HopPlan::ProxyProtocol::Optional;
  const Reading reading = wire::proxy_protocol::read(bytes_, optional);
  ListenerCounts& counts = hop_.counts_;
  switch (reading.result) {
    case Reading::Result::Incomplete:
      return;
    case Reading::Result::Wrong:
      ++counts.proxy_header_errors;
      ++(reading.version == 2   ? counts.proxy_v2_errors
         : reading.version == 1 ? counts.proxy_v1_errors
                                : counts.proxy_absent_refused);
      end();
      return;
    case Reading::Result::NoHeader:
      ++counts.proxy_absent_allowed;
      break;
    case Reading::Result::Header:
      ++(reading.version == 2 ? counts.proxy_v2_found : counts.proxy_v1_found);
      break;
  }
  if (reading.ends) ensure(origin_).announced = *reading.ends;
  hop_.admit(give_up_transport(), std::move(origin_),
             std::string_view(bytes_).substr(reading.used));
}

void ProxyHeaderReader::on_timer() {
  ++hop_.counts_.filter_timeouts;
  end();
}

void ProxyHeaderReader::end() {
  if (!bytes_.empty()) note_unread();
  close_now();
}

}  // namespace proxy
