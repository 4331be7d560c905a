#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/http2/errors.h"
#include "wire/http2/message_rules.h"
#include "wire/message.h"
#include "world/time.h"

struct nghttp2_session;

namespace wire::http2 {

class Session;

/// Whether the connection begins with HTTP/2's preface: enough of it that nothing else is meant.
/// Source: ENV-HTTP-117.
bool is_preface(std::string_view first_bytes);

/// How a stream came to its end.
struct StreamEnd {
  bool reset = false;    ///< Before both sides had said all.
  bool by_peer = false;  ///< The peer reset it, or its GOAWAY says that it never looked at it.
  ErrorCode code = ErrorCode::NoError;
  std::string_view details;  ///< As Stream::details().
};

/// One request and its answer on a connection, as one side sees it.
///
/// Whoever serves or asks derives from it and keeps the object until on_closed(), or forgets it
/// with reset(). No event comes afterwards.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream();

  std::int32_t id() const { return id_; }
  bool remote_ended() const { return remote_ended_; }
  bool local_ended() const { return local_ended_; }
  /// What the peer broke, in the real proxy's terms ("http2.invalid.header.field"), or empty.
  std::string_view details() const { return details_; }

  /// Sends more of the body. What the peer's windows do not take waits here.
  /// Requires: the head was sent, and nothing that ends it.
  void send_data(std::string_view bytes, bool ends);
  /// Ends the message with trailers.
  void send_trailers(const HeaderMap& trailers);
  /// Ends the stream in both directions and forgets this object.
  void reset(ErrorCode code);
  /// Ends it without an error once all that was said has left, although the peer goes on.
  /// Requires: the message was ended. on_closed() comes.
  void reset_when_sent();
  /// Bytes that were given to send_data and have not left.
  std::size_t unsent() const { return waiting_.size() - sent_; }

  /// While paused, the peer's window for this stream does not open again.
  void pause_reading() { paused_ = true; }
  void resume_reading();

 protected:
  /// What a head is read into, as the session's role has it: exactly one of the two is asked.
  virtual RequestHead& request_head();
  virtual ResponseHead& response_head();
  /// The head is complete. `ends`: nothing follows. A 1xx response is told first, as its own head.
  virtual void on_head(bool ends) = 0;
  /// A part of the body, as long as one DATA frame; valid during the call.
  virtual void on_data(std::string_view bytes, bool ends) = 0;
  virtual void on_trailers(HeaderMap& trailers) = 0;
  /// The stream is over. The object may be destroyed in here.
  virtual void on_closed(const StreamEnd& end) = 0;
  /// All that waited has left.
  virtual void on_drained() {}

 private:
  friend class Session;
  friend struct SessionCallbacks;

  Session* session_ = nullptr;
  Stream* next_ = nullptr;  // of the session's streams
  Stream* previous_ = nullptr;
  std::string waiting_;
  std::size_t sent_ = 0;
  std::string_view direct_;  // of the call at hand: sent without being copied
  std::string partial_;      // of a DATA frame that has not come whole
  std::string_view piece_;
  std::string cookies_;
  std::unique_ptr<HeaderMap> trailers_in_;
  std::unique_ptr<HeaderMap> trailers_out_;
  MessageRules rules_;
  std::uint64_t slots_ = 0;     // single-slot headers that are taken
  std::size_t unconsumed_ = 0;  // read while paused
  std::size_t head_bytes_ = 0;  // of the header block being read
  std::size_t head_fields_ = 0;
  std::int32_t id_ = 0;
  std::string_view details_;
  std::uint8_t pseudos_ = 0;
  bool has_host_ = false;
  bool head_read_ = false;
  bool ends_ = false;  // the last byte was given to send_data
  bool reset_when_sent_ = false;
  bool remote_ended_ = false;
  bool local_ended_ = false;
  bool peer_reset_ = false;
  bool paused_ = false;
  bool cut_ = false;       // its body had another length
  bool has_body_ = false;  // the codec asks for data
  bool deferred_ = false;  // it waits for more to send
};

/// What the owner of a session hears.
class SessionEvents {
 public:
  /// A peer's request begins; the stream's object is the owner's. Servers only.
  virtual Stream& on_stream() = 0;
  /// There is something to send: see Session::take_output(). Not told within feed().
  virtual void on_output() = 0;
  /// Whether on_output(), called now, would take all there is before it returns. Heads are then
  /// sent without being copied.
  virtual bool takes_output() const { return false; }
  /// The peer wants no new streams; those above `last_stream` were told of their end.
  virtual void on_goaway(std::int32_t last_stream, ErrorCode code) = 0;
  /// How many streams the peer takes at a time.
  virtual void on_max_streams(std::uint32_t streams) { (void)streams; }

 protected:
  ~SessionEvents() = default;
};

/// One HTTP/2 connection without its transport: bytes in, streams' events and bytes out.
///
/// nghttp2 does the framing, HPACK and windows; MessageRules judges the messages. What is done with
/// a broken rule is as in the real proxy: a broken message ends the connection.
/// Source: ENV-HTTP-46, -110 to -116.
class Session {
 public:
  enum class Role : std::uint8_t { Server, Client };
  struct Options {
    std::uint32_t max_streams = 1024;  ///< At a time, by the peer.
    std::uint32_t stream_window = 16 * 1024 * 1024;
    std::uint32_t connection_window = 24 * 1024 * 1024;
    bool connect_protocol = false;  ///< Extended CONNECT (RFC 8441).
    Limits limits{};                ///< Of a head, and of trailers.
  };

  Session(Role role, const Options& options, SessionEvents& events);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Reads bytes of the connection. False: it cannot go on, see error(). Nothing is then sent but
  /// what take_output() still gives. `now` is what resets are counted by, where they may be many.
  bool feed(std::string_view bytes, world::TimePoint now = {});
  bool failed() const { return failed_; }
  /// Why it failed, in the real proxy's terms: "codec_error:...", or the details of the stream.
  const std::string& error() const { return error_; }

  /// Appends what is to be sent. Frames leave in nghttp2's order: control, heads, data by turns.
  void take_output(std::string& out);

  /// Whether new streams can be opened: no GOAWAY came and none was sent. Clients only.
  bool takes_requests() const;
  /// Sends a request on a new stream. False: takes_requests() is, and nothing was done.
  bool send_request(Stream& stream, const RequestHead& head, bool ends);
  /// Sends the head of the answer; a 1xx one may come before it.
  void send_response(Stream& stream, std::uint16_t status, const HeaderMap& headers, bool ends);
  void send_interim(Stream& stream, std::uint16_t status, const HeaderMap& headers = {});

  /// Says that the connection is going to end: new streams are still taken. Servers only.
  void announce_shutdown();
  /// Says which stream was the last.
  void send_goaway(ErrorCode code);

  std::size_t open_streams() const { return open_streams_; }
  std::uint32_t peer_max_streams() const;

 private:
  friend class Stream;
  friend struct SessionCallbacks;

  void enter(Stream& stream, std::int32_t id);
  void forget(Stream& stream);
  void leave(Stream& stream);
  void tell_closed(Stream& stream, const StreamEnd& end);
  /// Hands bytes to nghttp2. A server leaves out PRIORITY frames, which mean nothing to it.
  bool read_frames(std::string_view bytes);
  bool read_run(std::string_view bytes);
  bool count_priority_frame();
  /// Lets the owner fetch what is to be sent, unless it is going to do so anyway.
  void output();
  void fail(int code);
  /// What happened while output was taken, told when nothing is in the way.
  void tell();
  void set_fields(std::string_view status, const HeaderMap& headers);
  /// How nghttp2 is to treat the text of a head that is submitted now.
  std::uint8_t text_flags() const;

  // Of what a client may reset: that many at once, and so many a second.
  static constexpr std::uint64_t kMostResets = 1000;
  static constexpr std::uint64_t kResetsPerSecond = 33;
  void count_reset();

  struct Deleter {
    void operator()(nghttp2_session* session) const;
  };

  Role role_;
  Options options_;
  SessionEvents& events_;
  std::unique_ptr<nghttp2_session, Deleter> session_;
  std::string error_;
  Stream* partial_ = nullptr;       // of whose DATA frame a part was read
  Stream* reading_ = nullptr;       // whose header block is being read
  HeaderMap* fields_in_ = nullptr;  // of that block
  Stream* recent_ = nullptr;        // the last that nghttp2 spoke of
  Stream* first_ = nullptr;
  std::vector<Stream*> drained_;
  std::vector<std::pair<Stream*, StreamEnd>> closed_;
  struct Fields;
  std::unique_ptr<Fields> fields_;  // of the head being sent; kept for its memory
  std::size_t open_streams_ = 0;
  std::uint32_t heads_sent_ = 0;
  // Of what a client sends: where its frames begin, and how many of the cheap ones came.
  std::array<char, 9> frame_head_{};
  std::uint8_t frame_head_size_ = 0;
  std::uint32_t frame_left_ = 24;   // the preface
  bool leave_out_ = false;          // the frame's payload
  bool in_head_ = false;            // CONTINUATION is to come
  std::uint32_t empty_frames_ = 0;  // in a row
  std::uint64_t priority_frames_ = 0;
  std::uint64_t window_updates_ = 0;
  std::uint64_t data_frames_sent_ = 0;
  std::uint64_t streams_opened_ = 0;
  std::uint32_t continuations_ = 0;  // of the head at hand
  std::uint64_t resets_left_ = kMostResets;
  world::TimePoint resets_counted_at_{};
  std::uint32_t max_streams_told_ = 0;
  world::TimePoint now_{};
  bool feeding_ = false;
  bool taking_ = false;
  bool last_frame_ = false;  // a GOAWAY with an error has been sent
  bool failed_ = false;
};

}  // namespace wire::http2
