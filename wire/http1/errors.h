#pragma once

#include "wire/http1/message.h"

namespace wire::http1 {

// Every way in which the codec refuses bytes. Source: ENV-HTTP-45, -70 to -77.
inline constexpr CodecError kNoError{};
inline constexpr CodecError kCodecError{400, "Bad Request", "http1.codec_error"};
inline constexpr CodecError kInvalidCharacters{400, "Bad Request", "http1.invalid_characters"};
inline constexpr CodecError kLengthAndEncoding{400, "Bad Request",
                                               "http1.content_length_and_chunked_not_allowed"};
inline constexpr CodecError kInvalidTransferEncoding{501, "Not Implemented",
                                                     "http1.invalid_transfer_encoding"};
inline constexpr CodecError kBodyDisallowed{400, "Bad Request", "http1.body_disallowed"};
inline constexpr CodecError kConnectionRejected{400, "Bad Request",
                                                "http1.connection_header_rejected"};
inline constexpr CodecError kInvalidUrl{400, "Bad Request", "http1.invalid_url"};
inline constexpr CodecError kInvalidScheme{400, "Bad Request", "http1.invalid_scheme"};
inline constexpr CodecError kInvalidAuthority{400, "Bad Request", "http.invalid_authority"};
inline constexpr CodecError kLowVersion{426, "Upgrade Required", "low_version"};
inline constexpr CodecError kTooManyHeaders{431, "Request Header Fields Too Large",
                                            "http1.too_many_headers"};
inline constexpr CodecError kHeadersTooLarge{431, "Request Header Fields Too Large",
                                             "http1.headers_too_large"};
inline constexpr CodecError kEncodingNotAllowed{0, "", "http1.transfer_encoding_not_allowed"};
inline constexpr CodecError kLengthNotAllowed{0, "", "http1.content_length_not_allowed"};

}  // namespace wire::http1
