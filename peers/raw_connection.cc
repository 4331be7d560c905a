#include "peers/raw_connection.h"

namespace peers {
namespace {

constexpr std::size_t kMostUnsentBytes = 64 * 1024;

}  // namespace

RawConnection::RawConnection(world::World& world, std::string_view host, std::uint16_t port,
                             RawObserver* observer, std::uint16_t source_port)
    : world_(world),
      observer_(observer),
      source_port_(source_port),
      resolver_(std::make_unique<Resolver>(world)) {
  if (const world::Resolution* known = resolver_->cached(host)) {
    connect({known->addresses[0], port});
    return;
  }
  resolver_->ask(host, [this, port](const world::Resolution& answer) {
    if (state_ != State::Resolving) return;
    if (answer.status != world::Resolution::Status::Found || answer.addresses.empty()) {
      state_ = State::Ended;
      end(Ending::Unresolved);
      return;
    }
    connect({answer.addresses[0], port});
  });
}

RawConnection::RawConnection(world::World& world, const world::Endpoint& remote,
                             RawObserver* observer)
    : world_(world), observer_(observer) {
  connect(remote);
}

RawConnection::~RawConnection() = default;

void RawConnection::connect(const world::Endpoint& remote) {
  state_ = State::Connecting;
  transport_ = source_port_ != 0 ? world_.connect_from(source_port_, remote, *this)
                                 : world_.connect(remote, *this);
  if (paused_) transport_->pause_reading();
  pump();
}

void RawConnection::send_repeated(std::string_view bytes, std::uint64_t times) {
  if (state_ == State::Ended || finishing_ || bytes.empty() || times == 0) return;
  output_.push_back({std::string(bytes), times});
  pump();
}

/// Writes as much as may be under way, then the FIN.
void RawConnection::pump() {
  if (transport_ == nullptr || state_ == State::Ended) return;
  while (!output_.empty() && transport_->unsent() < kMostUnsentBytes) {
    Output& output = output_.front();
    transport_->write(output.bytes);
    if (--output.times == 0) output_.pop_front();
  }
  if (!output_.empty() || !finishing_) return;
  if (closing_) {
    transport_->close();
    state_ = State::Ended;
  } else if (!fin_sent_) {
    fin_sent_ = true;
    transport_->finish();
  }
}

void RawConnection::finish() {
  if (state_ == State::Ended) return;
  finishing_ = true;
  pump();
}

void RawConnection::close() {
  if (state_ == State::Ended) return;
  finishing_ = closing_ = true;
  if (ending_ == Ending::None) {
    ending_ = Ending::Closed;
    ended_at_ = world_.now();
  }
  if (transport_ == nullptr) state_ = State::Ended;
  pump();
}

void RawConnection::reset() {
  if (state_ == State::Ended) return;
  if (transport_ != nullptr) transport_->reset();
  state_ = State::Ended;
  if (ending_ == Ending::None) {
    ending_ = Ending::Closed;
    ended_at_ = world_.now();
  }
}

void RawConnection::pause_reading() {
  paused_ = true;
  if (transport_ != nullptr && state_ != State::Ended) transport_->pause_reading();
}

void RawConnection::resume_reading() {
  paused_ = false;
  if (transport_ != nullptr && state_ != State::Ended) transport_->resume_reading();
}

void RawConnection::on_connected() {
  state_ = State::Open;
  connected_at_ = world_.now();
  if (observer_ != nullptr) observer_->on_connected(*this);
  pump();
}

void RawConnection::on_data(std::string_view bytes) {
  if (closing_) return;
  if (received_.empty()) first_byte_at_ = world_.now();
  last_byte_at_ = world_.now();
  received_.append(bytes);
  if (observer_ != nullptr) observer_->on_bytes(*this, bytes);
}

void RawConnection::on_end() {
  end(Ending::Fin);
}

void RawConnection::on_error(std::error_code error) {
  const bool connecting = state_ == State::Connecting;
  state_ = State::Ended;
  if (error == world::TransportError::Refused) {
    end(Ending::Refused);
  } else {
    end(connecting ? Ending::ConnectFailed : Ending::Reset);
  }
}

void RawConnection::end(Ending ending) {
  // A FIN may be followed by a reset; what we did ourselves is not told again.
  if (ending_ != Ending::None && !(ending_ == Ending::Fin && ending == Ending::Reset)) return;
  ending_ = ending;
  ended_at_ = world_.now();
  if (observer_ != nullptr) observer_->on_ended(*this);
}

}  // namespace peers
