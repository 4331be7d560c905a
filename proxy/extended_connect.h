#pragma once

#include <string>

#include "wire/message.h"

namespace proxy {

/// A request for another protocol as HTTP/2 has it (RFC 8441). Source: ENV-HTTP-94.
struct ExtendedConnect {
  std::string protocol;  ///< Empty: it asks for none.
  wire::RequestHead head;
};

/// What becomes of an HTTP/1.1 upgrade on its way to an HTTP/2 endpoint.
ExtendedConnect connect_from_upgrade(const wire::RequestHead& upgrade);
/// An endpoint's consent to it, as the answer to an upgrade: 101.
void answer_upgrade(wire::ResponseHead& head, const std::string& protocol);

/// Makes an upgrade of an extended CONNECT; any other request stays as it is.
void become_upgrade(wire::RequestHead& head);
/// The consent to an upgrade, as the answer to an extended CONNECT: 200.
void answer_connect(wire::ResponseHead& head);

}  // namespace proxy
