#include <algorithm>

#include "sim/connection.h"

namespace sim {
namespace {

/// A slow writer hands its bytes over in pieces that take so long.
constexpr std::uint64_t kPiecesPerSecond = 10;

world::Duration time_of(std::uint32_t bytes, std::uint64_t bits_per_second) {
  const auto bits = static_cast<unsigned __int128>(bytes) * 8;
  return world::Duration(static_cast<std::int64_t>(bits * 1'000'000'000U / bits_per_second));
}

}  // namespace

Connection::Pace::Pace(Connection& owner, Side on)
    : connection(owner),
      side(on),
      reader(owner.loop(), owner.ends_[on].host->id(), world::bind<&Pace::read_on>(this)),
      writer(owner.loop(), owner.ends_[on].host->id(), world::bind<&Pace::write_on>(this)) {}

void Connection::Pace::read_on() {
  Connection& of = connection;  // this may be destroyed
  ++of.depth_;
  of.deliver_unread(side);
  --of.depth_;
  of.collect();
}

void Connection::Pace::write_on() {
  Connection& of = connection;
  if (of.ends_[side].dead || of.directions_[side].unsent.empty()) return;
  ++of.depth_;
  of.pump(of.directions_[side]);
  of.drained(side);
  --of.depth_;
  of.collect();
}

Connection::Pace& Connection::pace_of(Side side) {
  if (!paces_) paces_ = std::make_unique<Paces>(*this);
  return paces_->of[side];
}

bool Connection::may_read_slowly(Side side, std::uint32_t bytes) {
  Pace& pace = pace_of(side);
  if (loop().now() < pace.reads_at) {
    if (!pace.reader.running()) pace.reader.start_at(pace.reads_at);
    return false;
  }
  pace.reads_at = loop().now() + time_of(bytes, ends_[side].host->read_rate_);
  return true;
}

bool Connection::may_write_slowly(Side side, std::uint32_t bytes) {
  Pace& pace = pace_of(side);
  if (loop().now() < pace.writes_at) {
    if (!pace.writer.running()) pace.writer.start_at(pace.writes_at);
    return false;
  }
  pace.writes_at = loop().now() + time_of(bytes, ends_[side].host->write_rate_);
  return true;
}

std::size_t Connection::slow_piece_bytes(Side side, std::size_t most) const {
  const std::uint64_t piece = ends_[side].host->write_rate_ / (8 * kPiecesPerSecond);
  return std::clamp<std::uint64_t>(piece, 1, most);
}

/// What waits is tried again with the new rates.
void Connection::pace_changed(Side side) {
  if (!paces_) return;
  Pace& pace = pace_of(side);
  pace.reads_at = pace.writes_at = loop().now();
  if (!ends_[side].unread.empty()) pace.reader.start_after({});
  if (!directions_[side].unsent.empty()) pace.writer.start_after({});
}

}  // namespace sim
