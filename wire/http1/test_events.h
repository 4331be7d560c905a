#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>

#include "wire/http1/events.h"
#include "wire/http1/message.h"
#include "wire/http1/parser.h"
#include "wire/http1/response_parser.h"

namespace wire::http1 {

/// "name: value|name: value" of a header map.
inline std::string text_of(const HeaderMap& headers) {
  std::string text;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i > 0) text += '|';
    text.append(headers.name(i)).append(": ").append(headers.value(i));
  }
  return text;
}

inline std::string_view text_of(Framing framing) {
  constexpr std::string_view kNames[] = {"none", "length", "chunked", "until-close", "tunnel"};
  return kNames[static_cast<std::size_t>(framing)];
}

/// Writes down what a parser tells. Pieces of one body are put together.
template <class Head>
class Recorder final : public ParserEvents<Head> {
 public:
  std::string story;  ///< "[head {body} end]" for each message.

  void on_head(Head& head) override {
    close_body();
    if constexpr (std::is_same_v<Head, RequestHead>) {
      story += "[" + head.method + " " + head.target + " ";
    } else {
      story += "[" + std::to_string(head.status) + " ";
    }
    story.append(text_of(head.framing)).append(" ").append(text_of(head.headers));
  }
  void on_body(std::string_view bytes) override {
    if (!in_body_) story += " {";
    in_body_ = true;
    story += bytes;
  }
  void on_complete() override {
    close_body();
    story += " end]";
  }

 private:
  void close_body() {
    if (in_body_) story += "}";
    in_body_ = false;
  }
  bool in_body_ = false;
};

struct Outcome {
  std::string story;
  std::string error;  ///< Details.
  std::size_t left = 0;
};

/// Feeds bytes to a request parser in pieces of `piece` bytes, message after message.
inline Outcome read_requests(std::string_view bytes, std::size_t piece = std::string_view::npos,
                             Limits limits = {}) {
  RequestParser parser(limits);
  Recorder<RequestHead> events;
  while (!bytes.empty() && !parser.error()) {
    const std::string part(bytes.substr(0, piece));  // of its own, so that overruns are seen
    bytes.remove_prefix(parser.feed(part, events));
  }
  return {events.story, std::string(parser.error().details), bytes.size()};
}

/// Feeds one response and the end of the connection.
inline Outcome read_response(std::string_view bytes, std::size_t piece = std::string_view::npos,
                             bool head_request = false, bool upgrade = false) {
  ResponseParser parser;
  Recorder<ResponseHead> events;
  parser.expect(head_request, upgrade);
  while (!bytes.empty() && !parser.error() && !events.story.ends_with(" end]")) {
    const std::string part(bytes.substr(0, piece));
    bytes.remove_prefix(parser.feed(part, events));
  }
  parser.on_end_of_stream(events);
  return {events.story, std::string(parser.error().details), bytes.size()};
}

}  // namespace wire::http1
