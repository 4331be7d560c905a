#pragma once

#include <cstdint>
#include <string_view>

namespace wire::http2 {

/// Why a stream or a connection was ended. Source: RFC 9113, section 7.
enum class ErrorCode : std::uint32_t {
  NoError = 0,
  ProtocolError = 1,
  InternalError = 2,
  FlowControlError = 3,
  SettingsTimeout = 4,
  StreamClosed = 5,
  FrameSizeError = 6,
  RefusedStream = 7,
  Cancel = 8,
  CompressionError = 9,
  ConnectError = 10,
  EnhanceYourCalm = 11,
  InadequateSecurity = 12,
  Http11Required = 13,
};

/// "REFUSED_STREAM"; empty for a number that the standard does not know.
std::string_view name_of(ErrorCode code);

}  // namespace wire::http2
