#include "peers/tls_host.h"

namespace peers {

using wire::tls::SubjectName;

void set_host(wire::tls::Settings& settings, const RequestSpec& request,
              const std::optional<std::string>& server_name, bool checks_name) {
  const bool is_address = parse_address(request.host).has_value();
  settings.server_name = server_name.value_or(is_address ? std::string() : request.host);
  if (!checks_name) return;
  if (!settings.server_name.empty()) {
    settings.names = {{SubjectName::Kind::Dns, settings.server_name}};
  } else {
    settings.names = {{is_address ? SubjectName::Kind::Ip : SubjectName::Kind::Dns, request.host}};
  }
}

}  // namespace peers
