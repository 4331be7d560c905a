#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The messages of the gRPC Health Checking Protocol, version 1.
namespace wire::grpc {

/// The method that a checker calls.
inline constexpr std::string_view kHealthCheckPath = "/grpc.health.v1.Health/Check";

/// HealthCheckResponse.ServingStatus.
enum class ServingStatus : std::uint8_t {
  Unknown = 0,
  Serving = 1,
  NotServing = 2,
  ServiceUnknown = 3,
};

/// HealthCheckRequest in protobuf's form. An empty service asks for the whole server.
std::string health_check_request(std::string_view service);
/// What a HealthCheckResponse says; nothing: the bytes are no message, or of a status unknown.
std::optional<ServingStatus> serving_status(std::string_view response);

}  // namespace wire::grpc
