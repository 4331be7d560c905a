#pragma once

#include <string_view>

namespace wire::http1 {

/// What a parser finds, in order: head, body pieces, complete.
///
/// `Head` is RequestHead or ResponseHead.
template <class Head>
class ParserEvents {
 public:
  /// The head is the parser's own: take it over with take_head(), or copy what outlives the
  /// message. It may be changed in place.
  virtual void on_head(Head& head) = 0;
  virtual void on_body(std::string_view bytes) = 0;
  /// The chunk that ends the body has begun: only trailers follow. What came before it counts even
  /// if they are wrong.
  virtual void on_last_chunk() {}
  /// The message has ended. Trailers were dropped (ENV-HTTP-47, -55).
  virtual void on_complete() = 0;

 protected:
  ~ParserEvents() = default;
};

}  // namespace wire::http1
