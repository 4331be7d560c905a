#include "world/trace.h"

#include <cstring>

#include <xxhash.h>

namespace world {
namespace {

/// What of an event goes into the hash. Little-endian, no padding: the same bytes everywhere.
struct Record {
  std::int64_t at;
  std::uint64_t kind_who;
  std::uint64_t flow;
  std::uint64_t a;
  std::uint64_t b;
  std::uint64_t text_bytes;
};

constexpr std::size_t kShortText = 256;  // longer texts enter as their own hash

}  // namespace

std::string_view name_of(TraceKind kind) {
  switch (kind) {
    case TraceKind::Connect:
      return "connect";
    case TraceKind::Accept:
      return "accept";
    case TraceKind::Refuse:
      return "refuse";
    case TraceKind::ConnectTimeout:
      return "connect-timeout";
    case TraceKind::Data:
      return "data";
    case TraceKind::End:
      return "end";
    case TraceKind::Reset:
      return "reset";
    case TraceKind::Resolve:
      return "resolve";
    case TraceKind::RequestSent:
      return "request-sent";
    case TraceKind::RequestSeen:
      return "request-seen";
    case TraceKind::ResponseSent:
      return "response-sent";
    case TraceKind::ResponseReceived:
      return "response-received";
    case TraceKind::RequestFailed:
      return "request-failed";
    case TraceKind::RouteChosen:
      return "route-chosen";
    case TraceKind::LocalReply:
      return "local-reply";
    case TraceKind::AccessLog:
      return "access-log";
    case TraceKind::TargetChosen:
      return "target-chosen";
    case TraceKind::Step:
      return "step";
    case TraceKind::Verdict:
      return "verdict";
    case TraceKind::Note:
      return "note";
    case TraceKind::Secured:
      return "secured";
    case TraceKind::TlsFailed:
      return "tls-failed";
  }
  return "?";
}

std::string TraceHash::text() const {
  std::string digits(32, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    digits[i] = "0123456789abcdef"[high >> (60 - 4 * i) & 15];
    digits[16 + i] = "0123456789abcdef"[low >> (60 - 4 * i) & 15];
  }
  return digits;
}

// The buffer is left as it is: only what was written to it is ever read.
Trace::Trace() {}  // NOLINT(modernize-use-equals-default)
Trace::~Trace() = default;

void Trace::record(const TraceEvent& event) {
  ++events_;
  if (hashing_) {
    const std::size_t text_bytes = event.text.size();
    if (used_ + sizeof(Record) + kShortText > kBufferBytes) flush();
    const Record record{event.at.time_since_epoch().count(),
                        static_cast<std::uint64_t>(event.kind) << 32 | event.who,
                        event.flow,
                        event.a,
                        event.b,
                        text_bytes};
    char* out = buffer_.data() + used_;
    std::memcpy(out, &record, sizeof(record));
    used_ += sizeof(record);
    out += sizeof(record);
    if (text_bytes <= kShortText) {
      if (text_bytes != 0) std::memcpy(out, event.text.data(), text_bytes);
      used_ += text_bytes;
    } else {
      const XXH128_hash_t digest = XXH3_128bits(event.text.data(), text_bytes);
      std::memcpy(out, &digest, sizeof(digest));
      used_ += sizeof(digest);
    }
  }
  for (TraceSink* sink : sinks_) sink->on_event(event);
}

TraceHash Trace::hash() const {
  if (used_ == 0) return chained_;
  const XXH128_hash_t block = XXH3_128bits_withSeed(buffer_.data(), used_, chained_.low);
  return {block.high64 ^ (chained_.high * 0x9e3779b97f4a7c15U), block.low64};
}

void Trace::flush() {
  chained_ = hash();
  used_ = 0;
}

}  // namespace world
