#include "proxy/extended_connect.h"

#include <string_view>

namespace proxy {
namespace {

using wire::HeaderName;

constexpr std::string_view kProtocol = ":protocol";

}  // namespace

ExtendedConnect connect_from_upgrade(const wire::RequestHead& upgrade) {
  ExtendedConnect connect{std::string(upgrade.headers.get(HeaderName::Upgrade)), upgrade};
  wire::HeaderMap& headers = connect.head.headers;
  connect.head.method = "CONNECT";
  headers.remove(HeaderName::Upgrade);
  headers.remove(HeaderName::Connection);
  if (headers.get(HeaderName::ContentLength) == "0") headers.remove(HeaderName::ContentLength);
  headers.add(kProtocol, connect.protocol);
  return connect;
}

void answer_upgrade(wire::ResponseHead& head, const std::string& protocol) {
  head.status = 101;
  head.headers.add(HeaderName::Upgrade, protocol);
  head.headers.add(HeaderName::Connection, "upgrade");
}

void become_upgrade(wire::RequestHead& head) {
  const std::size_t at = head.headers.find(kProtocol);
  if (head.method != "CONNECT" || at == wire::HeaderMap::npos) return;
  const std::string protocol(head.headers.value(at));
  head.headers.remove_at(at);
  head.method = "GET";
  head.headers.add(HeaderName::Upgrade, protocol);
  head.headers.add(HeaderName::Connection, "upgrade");
  head.upgrade = true;
  head.framing = wire::Framing::None;
}

void answer_connect(wire::ResponseHead& head) {
  head.status = 200;
  head.headers.remove(HeaderName::Upgrade);
  head.headers.remove(HeaderName::Connection);
}

}  // namespace proxy
