#pragma once

#include <span>
#include <string>
#include <string_view>

#include "peers/behaviour.h"
#include "wire/http1/message.h"

namespace peers {

/// What a service saw, as the JSON that it answers by default.
std::string echo_body(std::string_view service, std::string_view endpoint,
                      const wire::http1::RequestHead& head, std::string_view body,
                      std::span<const HeaderLine> trailers = {});

/// The bytes of a composed answer; `body` stands in for an absent Answer::body. The answer to a
/// HEAD request is cut after its head. Requires: `answer.raw` is empty.
std::string compose_answer(const Answer& answer, std::string_view body, std::string_view body_type,
                           bool to_head);

}  // namespace peers
