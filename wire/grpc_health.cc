#include "wire/grpc_health.h"

#include <google/protobuf/unknown_field_set.h>

namespace wire::grpc {
namespace {

// The numbers of HealthCheckRequest.service and HealthCheckResponse.status.
constexpr int kService = 1;
constexpr int kStatus = 1;

}  // namespace

std::string health_check_request(std::string_view service) {
  std::string bytes;
  if (service.empty()) return bytes;
  google::protobuf::UnknownFieldSet message;
  message.AddLengthDelimited(kService, std::string(service));
  message.SerializeToString(&bytes);
  return bytes;
}

std::optional<ServingStatus> serving_status(std::string_view response) {
  google::protobuf::UnknownFieldSet message;
  if (!message.ParseFromArray(response.data(), static_cast<int>(response.size()))) {
    return std::nullopt;
  }
  std::uint64_t status = 0;  // left out: the default
  for (int i = 0; i < message.field_count(); ++i) {
    const google::protobuf::UnknownField& field = message.field(i);
    if (field.number() != kStatus) continue;
    if (field.type() != google::protobuf::UnknownField::TYPE_VARINT) return std::nullopt;
    status = field.varint();
  }
  if (status > static_cast<std::uint64_t>(ServingStatus::ServiceUnknown)) return std::nullopt;
  return static_cast<ServingStatus>(status);
}

}  // namespace wire::grpc
