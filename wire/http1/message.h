#pragma once

#include "wire/message.h"

namespace wire::http1 {

using wire::CodecError;
using wire::Framing;
using wire::Limits;
using wire::RequestHead;
using wire::ResponseHead;

}  // namespace wire::http1
