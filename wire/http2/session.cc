#include "wire/http2/session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include <nghttp2/nghttp2.h>

namespace wire::http2 {
namespace {

constexpr std::array<std::string_view, 14> kErrorNames = {"NO_ERROR",
                                                          "PROTOCOL_ERROR",
                                                          "INTERNAL_ERROR",
                                                          "FLOW_CONTROL_ERROR",
                                                          "SETTINGS_TIMEOUT",
                                                          "STREAM_CLOSED",
                                                          "FRAME_SIZE_ERROR",
                                                          "REFUSED_STREAM",
                                                          "CANCEL",
                                                          "COMPRESSION_ERROR",
                                                          "CONNECT_ERROR",
                                                          "ENHANCE_YOUR_CALM",
                                                          "INADEQUATE_SECURITY",
                                                          "HTTP_1_1_REQUIRED"};

constexpr std::string_view kInvalidHeader = "http2.invalid.header.field";
constexpr std::string_view kMessagingRule = "http2.violation.of.messaging.rule";
constexpr std::string_view kUnknownError = "http2.unknown.nghttp2.error";
constexpr std::string_view kEmptyFramesFlood = "http2.inbound_empty_frames_flood";
constexpr std::string_view kTooManyHeaders = "http2.too_many_headers";
constexpr std::string_view kHeadersTooLarge = "http2.header_list_size_too_large";

/// Of an extended CONNECT; it stands among the headers of a head.
constexpr std::string_view kProtocol = ":protocol";

/// How often the name of a field that is not kept for its value is put into the HPACK table.
constexpr std::uint32_t kHeadsPerName = 256;

/// How many answers to PING and SETTINGS may wait. Source: the real proxy's limit of its own.
constexpr std::size_t kMostWaitingAcks = 10000;

// The real proxy's limits of frames that cost their sender nothing.
constexpr std::uint32_t kMostEmptyFrames = 1;  // in a row
constexpr std::uint32_t kMostContinuations = 512;
constexpr std::uint64_t kWindowUpdatesPerData = 10;
constexpr std::uint64_t kPrioritiesPerStream = 100;

constexpr std::uint8_t kPriorityFrame = 2;
constexpr std::uint32_t kPriorityBytes = 5;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv field(std::string_view name, std::string_view value, std::uint8_t flags) {
  // nghttp2 asks for pointers to what it does not change.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
          value.size(), flags};
}

nghttp2_nv field_of(const HeaderMap& headers, std::size_t i, std::uint8_t flags,
                    bool for_name = false) {
  // A value that never comes again has no place in the table, where it drives out what does. Now
  // and then it is put there `for_name`, which others then refer to.
  const bool once = headers.known(i) == HeaderName::RequestId && !for_name;
  if (once) flags |= NGHTTP2_NV_FLAG_NO_INDEX;
  return field(headers.name(i), headers.value(i), flags);
}

/// Fills in how long the body is, from the header lines and from whether one follows.
template <class Head>
void set_framing(Head& head, bool ends) {
  head.framing = ends ? Framing::None : Framing::Chunked;
  const std::string_view length = head.headers.get(HeaderName::ContentLength);
  if (ends || length.empty()) return;
  head.framing = Framing::ContentLength;
  std::from_chars(length.data(), length.data() + length.size(), head.content_length);
}

}  // namespace

std::string_view name_of(ErrorCode code) {
  const auto number = static_cast<std::size_t>(code);
  return number < kErrorNames.size() ? kErrorNames[number] : std::string_view{};
}

bool is_preface(std::string_view first_bytes) {
  return first_bytes.starts_with("PRI * HTTP/2");
}

// --- What nghttp2 tells ----------------------------------------------------------------------

struct SessionCallbacks {
  static Session& session_of(void* user_data) { return *static_cast<Session*>(user_data); }
  static Stream* stream_of(Session& session, std::int32_t id) {
    if (session.recent_ == nullptr || session.recent_->id_ != id) {
      session.recent_ =
          static_cast<Stream*>(nghttp2_session_get_stream_user_data(session.session_.get(), id));
    }
    return session.recent_;
  }

  /// Frames that cost their sender nothing are limited. Source: the real proxy's own limits.
  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* frame, void* user_data) {
    Session& session = session_of(user_data);
    switch (frame->type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_CONTINUATION:
      case NGHTTP2_DATA:
        if (frame->length > 0 || (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          session.empty_frames_ = 0;
        } else if (++session.empty_frames_ > kMostEmptyFrames) {
          return flood(session, stream_of(session, frame->stream_id), kEmptyFramesFlood);
        }
        return 0;
      case NGHTTP2_RST_STREAM:
        session.count_reset();
        return 0;
      case NGHTTP2_WINDOW_UPDATE:
        if (++session.window_updates_ >
            5 + 2 * (session.open_streams_ + kWindowUpdatesPerData * session.data_frames_sent_)) {
          session.error_ = "codec_error:Too_many_WINDOW_UPDATE_frames";
          return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        return 0;
      default:
        return 0;
    }
  }

  static int flood(Session& session, Stream* stream, std::string_view details) {
    if (stream != nullptr) stream->details_ = details;
    session.error_ = "codec_error:";
    session.error_ += details;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_begin_headers(nghttp2_session* codec, const nghttp2_frame* frame, void* user_data) {
    Session& session = session_of(user_data);
    Stream* stream = nullptr;
    session.reading_ = nullptr;
    if (session.role_ == Session::Role::Server && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      stream = &session.events_.on_stream();
      session.enter(*stream, frame->hd.stream_id);
      session.recent_ = stream;
      nghttp2_session_set_stream_user_data(codec, stream->id_, stream);
      stream->rules_.expect_request(session.options_.connect_protocol);
    } else {
      stream = stream_of(session, frame->hd.stream_id);
      if (stream == nullptr) return 0;
      if (stream->head_read_) stream->trailers_in_ = std::make_unique<HeaderMap>();
    }
    stream->slots_ = 0;
    stream->head_bytes_ = stream->head_fields_ = 0;
    stream->rules_.begin_block(frame->headers.cat != NGHTTP2_HCAT_HEADERS);
    session.reading_ = stream;
    session.fields_in_ = stream->trailers_in_ != nullptr ? stream->trailers_in_.get()
                         : session.role_ == Session::Role::Server
                             ? &stream->request_head().headers
                             : &stream->response_head().headers;
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name_bytes,
                       std::size_t name_size, const std::uint8_t* value_bytes,
                       std::size_t value_size, std::uint8_t, void* user_data) {
    Session& session = session_of(user_data);
    if (session.reading_ == nullptr) return 0;
    Stream& stream = *session.reading_;
    const std::string_view name = text_of(name_bytes, name_size);
    const std::string_view value = text_of(value_bytes, value_size);
    const HeaderTraits& traits = lookup_header_traits(name);
    switch (stream.rules_.judge(traits.name, name, value)) {
      case Verdict::Take:
        return read_field(session, stream, traits, name, value);
      case Verdict::LeaveOut:
        return 0;
      case Verdict::Broken:
        break;
    }
    stream.details_ = kInvalidHeader;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int read_field(Session& session, Stream& stream, const HeaderTraits& traits,
                        std::string_view name, std::string_view value) {
    const bool request = session.role_ == Session::Role::Server;
    HeaderMap& headers = *session.fields_in_;
    if (stream.trailers_in_ == nullptr) {
      if (name.front() == ':') {
        read_pseudo(stream, traits.name, value, request);
        return count(session, stream, name, value);
      }
      if (request && traits.name == HeaderName::Cookie) {
        if (!stream.cookies_.empty()) stream.cookies_ += "; ";
        stream.cookies_ += value;
        return 0;
      }
      if (request && traits.name == HeaderName::Host) {
        if (stream.has_host_) return 0;
        read_pseudo(stream, HeaderName::PseudoAuthority, value, true);
        return count(session, stream, name, value);
      }
    }
    const int slot = request ? traits.request_slot : traits.response_slot;
    if (slot >= 0) {
      const std::uint64_t bit = std::uint64_t{1} << slot;
      if ((stream.slots_ & bit) != 0) {
        headers.join_value(headers.find(name), ",", value);
        stream.head_bytes_ += value.size() + 1;
        return check(session, stream);
      }
      stream.slots_ |= bit;
    }
    headers.add_known(traits.name, name, value);
    return count(session, stream, name, value);
  }

  static void read_pseudo(Stream& stream, HeaderName pseudo, std::string_view value, bool request) {
    if (!request) {
      ResponseHead& head = stream.response_head();
      std::from_chars(value.data(), value.data() + value.size(), head.status);
      return;
    }
    RequestHead& head = stream.request_head();
    if (stream.pseudos_ == 0) head.pseudo_order = {};
    switch (pseudo) {
      case HeaderName::PseudoMethod:
        head.method = value;
        break;
      case HeaderName::PseudoPath:
        head.target = value;
        break;
      case HeaderName::PseudoScheme:
        head.scheme = value;
        break;
      case HeaderName::PseudoAuthority:
        head.headers.add_first(HeaderName::Host, value);
        stream.has_host_ = true;
        break;
      default:
        head.headers.add(kProtocol, value);  // of an extended CONNECT
        return;
    }
    head.pseudo_order[stream.pseudos_++] = pseudo;
  }

  static int count(Session& session, Stream& stream, std::string_view name,
                   std::string_view value) {
    stream.head_bytes_ += name.size() + value.size();
    ++stream.head_fields_;
    return check(session, stream);
  }

  /// A block beyond the limits ends its stream alone. Source: ENV-HTTP-111.
  static int check(Session& session, Stream& stream) {
    const Limits& limits = session.options_.limits;
    if (stream.head_bytes_ > limits.max_head_bytes) {
      stream.details_ = kHeadersTooLarge;
    } else if (stream.head_fields_ > limits.max_headers) {
      stream.details_ = kTooManyHeaders;
    } else {
      return 0;
    }
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame(nghttp2_session* codec, const nghttp2_frame* frame, void* user_data) {
    Session& session = session_of(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (Stream* stream = std::exchange(session.reading_, nullptr)) {
          const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
          if (!stream->rules_.end_block(ends)) {
            stream->details_ = kMessagingRule;
            return NGHTTP2_ERR_CALLBACK_FAILURE;
          }
          on_headers(session, *stream, ends);
        }
        break;
      case NGHTTP2_DATA:
        if (Stream* stream = stream_of(session, frame->hd.stream_id)) {
          const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
          if (ends && !stream->rules_.may_end()) {
            stream->cut_ = true;
            return nghttp2_submit_rst_stream(codec, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                             NGHTTP2_PROTOCOL_ERROR);
          }
          on_data(session, *stream, ends);
        }
        break;
      case NGHTTP2_RST_STREAM:
        if (Stream* stream = stream_of(session, frame->hd.stream_id)) stream->peer_reset_ = true;
        break;
      case NGHTTP2_GOAWAY:
        session.events_.on_goaway(frame->goaway.last_stream_id,
                                  static_cast<ErrorCode>(frame->goaway.error_code));
        break;
      case NGHTTP2_SETTINGS:
        if (const std::uint32_t streams = session.peer_max_streams();
            (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0 && streams != session.max_streams_told_) {
          session.max_streams_told_ = streams;
          session.events_.on_max_streams(streams);
        }
        break;
      default:
        break;
    }
    return 0;
  }

  static void on_headers(Session& session, Stream& stream, bool ends) {
    stream.remote_ended_ = ends;
    if (stream.trailers_in_ != nullptr) {
      const auto trailers = std::move(stream.trailers_in_);
      if (trailers->empty()) {
        stream.on_data({}, true);
      } else {
        stream.on_trailers(*trailers);
      }
      return;
    }
    if (session.role_ == Session::Role::Server) {
      RequestHead& head = stream.request_head();
      if (!stream.cookies_.empty()) {
        head.headers.add(HeaderName::Cookie, stream.cookies_);
        std::string().swap(stream.cookies_);
      }
      set_framing(head, ends);
      stream.head_read_ = true;
    } else {
      ResponseHead& head = stream.response_head();
      set_framing(head, ends);
      stream.head_read_ = head.status >= 200 || head.status == 101;
    }
    stream.on_head(ends);
  }

  static int on_chunk(nghttp2_session* codec, std::uint8_t, std::int32_t id,
                      const std::uint8_t* bytes, std::size_t size, void* user_data) {
    Session& session = session_of(user_data);
    Stream* const stream = stream_of(session, id);
    if (stream == nullptr) {
      nghttp2_session_consume(codec, id, size);
      return 0;
    }
    if (!stream->rules_.add_data(size)) {
      nghttp2_session_consume_connection(codec, size);
      return nghttp2_submit_rst_stream(codec, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
    }
    if (stream->piece_.empty() && stream->partial_.empty()) {
      stream->piece_ = text_of(bytes, size);
    } else {
      keep_piece(*stream);
      stream->partial_ += text_of(bytes, size);
    }
    session.partial_ = stream;
    return 0;
  }

  /// What was read of a frame that is not whole outlives the bytes that it came in.
  static void keep_piece(Stream& stream) {
    stream.partial_ += stream.piece_;
    stream.piece_ = {};
  }

  static void on_data(Session& session, Stream& stream, bool ends) {
    session.partial_ = nullptr;
    stream.remote_ended_ = ends;
    const std::string joined = std::exchange(stream.partial_, {});
    const std::string_view bytes = joined.empty() ? std::exchange(stream.piece_, {}) : joined;
    const std::int32_t id = stream.id_;
    nghttp2_session* const codec = session.session_.get();
    // Consumed first: the stream may go while it is told.
    if (stream.paused_) {
      stream.unconsumed_ += bytes.size();
    } else if (ends) {
      nghttp2_session_consume_connection(codec, bytes.size());  // the stream's window is over
    } else {
      nghttp2_session_consume(codec, id, bytes.size());
    }
    stream.on_data(bytes, ends);
  }

  static int on_stream_close(nghttp2_session* codec, std::int32_t id, std::uint32_t code,
                             void* user_data) {
    Session& session = session_of(user_data);
    if (session.open_streams_ > 0) --session.open_streams_;
    Stream* const stream = stream_of(session, id);
    session.recent_ = nullptr;
    if (stream == nullptr) return 0;
    if (stream->unconsumed_ > 0) {
      nghttp2_session_consume_connection(codec, std::exchange(stream->unconsumed_, 0));
    }
    StreamEnd end;
    end.reset = !stream->remote_ended_ || !stream->local_ended_;
    end.code = static_cast<ErrorCode>(code);
    // A GOAWAY ends the streams that the peer never looked at as if it had refused them.
    end.by_peer = stream->peer_reset_ || code == NGHTTP2_REFUSED_STREAM;
    end.details = stream->details_;
    // nghttp2 closes it before the reset has left, which is when it is told.
    if (stream->cut_) end.code = ErrorCode::ProtocolError;
    // Whoever hears of it may write elsewhere, which must not happen while output is taken.
    if (session.taking_ || stream->cut_) {
      session.closed_.emplace_back(stream, end);
    } else {
      session.tell_closed(*stream, end);
    }
    return 0;
  }

  /// Of frames that come when they must not. As in the real proxy, they end the connection.
  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error,
                              void* user_data) {
    if (Stream* stream = stream_of(session_of(user_data), frame->hd.stream_id)) {
      stream->details_ = kUnknownError;
    }
    const bool refused = error == NGHTTP2_ERR_REFUSED_STREAM || error == NGHTTP2_ERR_STREAM_CLOSED;
    return refused ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_frame_sent(nghttp2_session* codec, const nghttp2_frame* frame, void* user_data) {
    Session& session = session_of(user_data);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      session.last_frame_ = true;
      return 0;
    }
    if (frame->hd.type == NGHTTP2_DATA) ++session.data_frames_sent_;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    Stream* const stream = stream_of(session, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->local_ended_ = true;
    if (stream->reset_when_sent_ && !stream->remote_ended_) {
      nghttp2_submit_rst_stream(codec, NGHTTP2_FLAG_NONE, stream->id_, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static ssize_t read_data(nghttp2_session* codec, std::int32_t id, std::uint8_t* out,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                           void* user_data) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    std::size_t taken = 0;
    if (stream.unsent() > 0) {
      taken = std::min(size, stream.unsent());
      std::memcpy(out, stream.waiting_.data() + stream.sent_, taken);
      stream.sent_ += taken;
      if (stream.unsent() == 0) {
        stream.waiting_.clear();
        if (stream.waiting_.capacity() > kKeptBytes) stream.waiting_.shrink_to_fit();
        stream.sent_ = 0;
        session_of(user_data).drained_.push_back(&stream);
      }
    } else if (!stream.direct_.empty()) {
      taken = std::min(size, stream.direct_.size());
      std::memcpy(out, stream.direct_.data(), taken);
      stream.direct_.remove_prefix(taken);
    }
    const bool all = stream.unsent() == 0 && stream.direct_.empty();
    if (all && stream.ends_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (stream.trailers_out_ != nullptr) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto trailers = std::move(stream.trailers_out_);
        submit_trailers(codec, id, *trailers);
      }
    } else if (taken == 0) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(taken);
  }

  static void submit_trailers(nghttp2_session* codec, std::int32_t id, const HeaderMap& trailers) {
    std::vector<nghttp2_nv> fields;
    for (std::size_t i = 0; i < trailers.size(); ++i) {
      fields.push_back(field_of(trailers, i, NGHTTP2_NV_FLAG_NONE));
    }
    nghttp2_submit_trailer(codec, id, fields.data(), fields.size());
  }

  static constexpr std::size_t kKeptBytes = 64 * 1024;

  struct Table {
    Table() {
      int made = nghttp2_session_callbacks_new(&callbacks);
      assert(made == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
      nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
      nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
      nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
      made = nghttp2_option_new(&options);
      assert(made == 0);
      (void)made;
      nghttp2_option_set_no_auto_window_update(options, 1);
      nghttp2_option_set_no_closed_streams(options, 1);
      nghttp2_option_set_no_http_messaging(options, 1);  // MessageRules judges
      nghttp2_option_set_max_outbound_ack(options, kMostWaitingAcks);
      // nghttp2's own limit counts resets by the machine's clock, which no world may see.
      constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
      nghttp2_option_set_stream_reset_rate_limit(options, kUnlimited, kUnlimited);
      nghttp2_option_set_max_continuations(options, kMostContinuations + 1);
    }
    ~Table() {
      nghttp2_session_callbacks_del(callbacks);
      nghttp2_option_del(options);
    }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* options = nullptr;
  };
  static const Table& table() {
    static const Table table;  // never changed: shared by all worlds
    return table;
  }
};

// --- Stream ----------------------------------------------------------------------------------

Stream::~Stream() {
  if (session_ != nullptr) session_->forget(*this);
}

RequestHead& Stream::request_head() {
  assert(false && "a client's stream reads no request");
  std::abort();
}

ResponseHead& Stream::response_head() {
  assert(false && "a server's stream reads no response");
  std::abort();
}

void Stream::send_data(std::string_view bytes, bool ends) {
  if (session_ == nullptr || ends_) return;
  Session& session = *session_;
  ends_ = ends;
  const bool at_once = waiting_.empty() && !session.feeding_ && !session.taking_;
  if (at_once) {
    direct_ = bytes;
  } else {
    // What has left goes now and then, or a peer that never quite catches up would make it grow.
    if (sent_ >= SessionCallbacks::kKeptBytes && sent_ >= unsent()) {
      waiting_.erase(0, std::exchange(sent_, 0));
    }
    waiting_ += bytes;
  }
  if (!std::exchange(has_body_, true)) {
    nghttp2_data_provider body{{.ptr = this}, SessionCallbacks::read_data};
    nghttp2_submit_data(session.session_.get(), NGHTTP2_FLAG_END_STREAM, id_, &body);
  } else if (std::exchange(deferred_, false)) {
    nghttp2_session_resume_data(session.session_.get(), id_);
  }
  session.output();
  if (at_once && session_ != nullptr) {
    waiting_ += direct_;
    direct_ = {};
  }
}

void Stream::send_trailers(const HeaderMap& trailers) {
  if (session_ == nullptr || ends_) return;
  if (unsent() > 0) {
    trailers_out_ = std::make_unique<HeaderMap>(trailers);
    send_data({}, true);
    return;
  }
  // Nothing waits: they need not wait for the codec to ask for data, which would be an empty frame.
  ends_ = true;
  SessionCallbacks::submit_trailers(session_->session_.get(), id_, trailers);
  session_->output();
}

void Stream::reset(ErrorCode code) {
  if (session_ == nullptr) return;
  Session& session = *session_;
  nghttp2_session* const codec = session.session_.get();
  if (unconsumed_ > 0) nghttp2_session_consume_connection(codec, std::exchange(unconsumed_, 0));
  session.forget(*this);
  nghttp2_submit_rst_stream(codec, NGHTTP2_FLAG_NONE, id_, static_cast<std::uint32_t>(code));
  session.output();
}

void Stream::reset_when_sent() {
  if (session_ == nullptr) return;
  Session& session = *session_;
  reset_when_sent_ = true;
  if (!local_ended_ || remote_ended_) return;
  nghttp2_submit_rst_stream(session.session_.get(), NGHTTP2_FLAG_NONE, id_, NGHTTP2_NO_ERROR);
  session.output();
}

void Stream::resume_reading() {
  if (!std::exchange(paused_, false) || session_ == nullptr || unconsumed_ == 0) return;
  nghttp2_session_consume(session_->session_.get(), id_, std::exchange(unconsumed_, 0));
  session_->output();
}

// --- Session ---------------------------------------------------------------------------------

struct Session::Fields {
  std::vector<nghttp2_nv> list;
};

void Session::Deleter::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

Session::Session(Role role, const Options& options, SessionEvents& events)
    : role_(role), options_(options), events_(events), fields_(std::make_unique<Fields>()) {
  const SessionCallbacks::Table& table = SessionCallbacks::table();
  nghttp2_session* session = nullptr;
  const int made =
      role == Role::Server
          ? nghttp2_session_server_new2(&session, table.callbacks, this, table.options)
          : nghttp2_session_client_new2(&session, table.callbacks, this, table.options);
  if (made != 0) throw std::bad_alloc();
  session_.reset(session);
  max_streams_told_ = peer_max_streams();

  std::array<nghttp2_settings_entry, 5> settings;
  std::size_t count = 0;
  if (role == Role::Client) settings[count++] = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  settings[count++] = {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 4096};
  settings[count++] = {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL,
                       options.connect_protocol ? 1U : 0U};
  settings[count++] = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams};
  settings[count++] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window};
  int done = nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), count);
  assert(done == 0);
  done = nghttp2_session_set_local_window_size(
      session, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(options.connection_window));
  assert(done == 0);
  (void)done;
}

Session::~Session() {
  while (first_ != nullptr) leave(*first_);
}

std::uint32_t Session::peer_max_streams() const {
  return nghttp2_session_get_remote_settings(session_.get(),
                                             NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::feed(std::string_view bytes, world::TimePoint now) {
  if (failed_) return false;
  now_ = now;
  feeding_ = true;
  if (role_ == Role::Server) {
    read_frames(bytes);
  } else {
    read_run(bytes);
  }
  feeding_ = false;
  if (Stream* stream = std::exchange(partial_, nullptr)) SessionCallbacks::keep_piece(*stream);
  return !failed_;
}

bool Session::read_run(std::string_view bytes) {
  if (bytes.empty()) return true;
  const ssize_t read = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (read < 0) fail(static_cast<int>(read));
  return !failed_;
}

bool Session::read_frames(std::string_view bytes) {
  std::size_t run = 0;  // where what has not been handed on begins
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (frame_left_ > 0) {
      const std::size_t size = std::min<std::size_t>(frame_left_, bytes.size() - at);
      frame_left_ -= static_cast<std::uint32_t>(size);
      at += size;
      if (leave_out_) run = at;
      continue;
    }
    // A frame's first nine bytes say what it is; they may come in pieces.
    const std::size_t begin = at;
    const bool split = frame_head_size_ > 0;
    const std::size_t size =
        std::min<std::size_t>(frame_head_.size() - frame_head_size_, bytes.size() - at);
    std::memcpy(frame_head_.data() + frame_head_size_, bytes.data() + at, size);
    frame_head_size_ = static_cast<std::uint8_t>(frame_head_size_ + size);
    at += size;
    if (frame_head_size_ < frame_head_.size()) {
      if (!read_run(bytes.substr(run, begin - run))) return false;
      run = at;
      break;
    }
    frame_head_size_ = 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame_head_[i]); };
    frame_left_ = (std::uint32_t{byte(0)} << 16) | (std::uint32_t{byte(1)} << 8) | byte(2);
    // One of a wrong size, or within a head, is nghttp2's to refuse.
    leave_out_ = byte(3) == kPriorityFrame && frame_left_ == kPriorityBytes && !in_head_;
    if (byte(3) == NGHTTP2_HEADERS || byte(3) == NGHTTP2_CONTINUATION) {
      in_head_ = (byte(4) & NGHTTP2_FLAG_END_HEADERS) == 0;
    }
    continuations_ = byte(3) == NGHTTP2_CONTINUATION ? continuations_ + 1 : 0;
    if (leave_out_) {
      if (!read_run(bytes.substr(run, begin - run)) || !count_priority_frame()) return false;
      run = at;
    } else if (continuations_ > kMostContinuations) {
      if (read_run(bytes.substr(run, begin - run))) fail(NGHTTP2_ERR_CALLBACK_FAILURE);
      return false;
    } else if (split) {
      if (!read_run({frame_head_.data(), frame_head_.size()})) return false;
      run = at;
    }
  }
  return read_run(bytes.substr(run, at - run));
}

void Session::count_reset() {
  if (role_ != Role::Server) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now_ - resets_counted_at_);
  if (seconds.count() > 0) {
    resets_counted_at_ += seconds;
    const std::uint64_t gained = static_cast<std::uint64_t>(seconds.count()) * kResetsPerSecond;
    resets_left_ = std::min(resets_left_ + gained, kMostResets);
  }
  if (resets_left_-- == 0) {
    resets_left_ = 0;
    send_goaway(ErrorCode::InternalError);
  }
}

bool Session::count_priority_frame() {
  if (++priority_frames_ <= kPrioritiesPerStream * (1 + streams_opened_)) return true;
  error_ = "codec_error:Too_many_PRIORITY_frames";
  fail(NGHTTP2_ERR_CALLBACK_FAILURE);
  return false;
}

void Session::take_output(std::string& out) {
  if (taking_ || failed_) return;
  taking_ = true;
  while (true) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) fail(static_cast<int>(size));
    if (size <= 0) break;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    // After an error was told, the connection is over.
    if (last_frame_) {
      fail(NGHTTP2_ERR_CALLBACK_FAILURE);
      break;
    }
  }
  taking_ = false;
  tell();
}

void Session::tell() {
  while (!closed_.empty()) {
    const auto [stream, end] = closed_.front();
    closed_.erase(closed_.begin());
    tell_closed(*stream, end);
  }
  while (!drained_.empty() && !failed_) {
    Stream* const stream = drained_.back();
    drained_.pop_back();
    stream->on_drained();
  }
}

void Session::output() {
  if (!feeding_ && !taking_ && !failed_) events_.on_output();
}

void Session::fail(int code) {
  failed_ = true;
  if (!error_.empty()) return;
  error_ = "codec_error:";
  error_ += nghttp2_strerror(code);
  std::replace(error_.begin(), error_.end(), ' ', '_');
}

void Session::enter(Stream& stream, std::int32_t id) {
  stream.session_ = this;
  stream.id_ = id;
  stream.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &stream;
  first_ = &stream;
  ++open_streams_;
  ++streams_opened_;
}

void Session::leave(Stream& stream) {
  stream.session_ = nullptr;
  (stream.previous_ != nullptr ? stream.previous_->next_ : first_) = stream.next_;
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
  if (partial_ == &stream) partial_ = nullptr;
  if (reading_ == &stream) reading_ = nullptr;
  if (recent_ == &stream) recent_ = nullptr;
  if (!drained_.empty()) std::erase(drained_, &stream);
  if (!closed_.empty()) {
    std::erase_if(closed_, [&](const auto& closed) { return closed.first == &stream; });
  }
}

/// Of a stream that goes on: its owner wants no word of it any more.
void Session::forget(Stream& stream) {
  leave(stream);
  nghttp2_session_set_stream_user_data(session_.get(), stream.id_, nullptr);
}

void Session::tell_closed(Stream& stream, const StreamEnd& end) {
  leave(stream);
  stream.on_closed(end);
}

/// What leaves at once needs no copy of its text: nghttp2 has written it when output() returns.
std::uint8_t Session::text_flags() const {
  const bool at_once = !feeding_ && !taking_ && !failed_ && events_.takes_output();
  return at_once ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE
                 : NGHTTP2_NV_FLAG_NONE;
}

/// A response's head, for the call at hand.
void Session::set_fields(std::string_view status, const HeaderMap& headers) {
  fields_->list.clear();
  const std::uint8_t flags = text_flags();
  fields_->list.push_back(field(":status", status, flags));
  for (std::size_t i = 0; i < headers.size(); ++i) {
    fields_->list.push_back(field_of(headers, i, flags));
  }
}

bool Session::takes_requests() const {
  return !failed_ && nghttp2_session_check_request_allowed(session_.get()) != 0;
}

bool Session::send_request(Stream& stream, const RequestHead& head, bool ends) {
  if (!takes_requests()) return false;
  auto& fields = fields_->list;
  fields.clear();
  const std::uint8_t flags = open_streams_ < peer_max_streams() ? text_flags() : std::uint8_t{0};
  for (const HeaderName pseudo : head.pseudo_order) {
    switch (pseudo) {
      case HeaderName::PseudoMethod:
        fields.push_back(field(":method", head.method, flags));
        break;
      case HeaderName::PseudoPath:
        if (!head.target.empty()) fields.push_back(field(":path", head.target, flags));
        break;
      case HeaderName::PseudoScheme:
        fields.push_back(field(":scheme", head.scheme_or_http(), flags));
        break;
      case HeaderName::PseudoAuthority:
        if (const std::size_t at = head.headers.find(HeaderName::Host); at != HeaderMap::npos) {
          fields.push_back(field(":authority", head.headers.value(at), flags));
        }
        break;
      default:
        break;
    }
  }
  if (head.method == "CONNECT") {
    const std::size_t at = head.headers.find(kProtocol);
    if (at != HeaderMap::npos) fields.push_back(field_of(head.headers, at, flags));
  }
  const bool for_name = heads_sent_++ % kHeadsPerName == 0;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    const HeaderName known = head.headers.known(i);
    if (known == HeaderName::Host) continue;
    if (known == HeaderName::Other && head.headers.name(i) == kProtocol) continue;
    fields.push_back(field_of(head.headers, i, flags, for_name));
  }
  nghttp2_data_provider body{{.ptr = &stream}, SessionCallbacks::read_data};
  const std::int32_t id = nghttp2_submit_request(session_.get(), nullptr, fields.data(),
                                                 fields.size(), ends ? nullptr : &body, &stream);
  assert(id > 0);
  enter(stream, id);
  stream.rules_.expect_response(head.method);
  stream.ends_ = ends;
  stream.has_body_ = true;
  output();
  return true;
}

void Session::send_response(Stream& stream, std::uint16_t status, const HeaderMap& headers,
                            bool ends) {
  if (stream.session_ == nullptr) return;
  char digits[8];
  const char* const end = std::to_chars(digits, digits + sizeof digits, status).ptr;
  set_fields({digits, static_cast<std::size_t>(end - digits)}, headers);
  stream.ends_ = ends;
  // A body is submitted when its first bytes are there.
  nghttp2_submit_headers(session_.get(), ends ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE,
                         stream.id_, nullptr, fields_->list.data(), fields_->list.size(), nullptr);
  output();
}

void Session::send_interim(Stream& stream, std::uint16_t status, const HeaderMap& headers) {
  if (stream.session_ == nullptr) return;
  char digits[8];
  const char* const end = std::to_chars(digits, digits + sizeof digits, status).ptr;
  set_fields({digits, static_cast<std::size_t>(end - digits)}, headers);
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id_, nullptr,
                         fields_->list.data(), fields_->list.size(), nullptr);
  output();
}

void Session::announce_shutdown() {
  nghttp2_submit_shutdown_notice(session_.get());
  output();
}

void Session::send_goaway(ErrorCode code) {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()),
                        static_cast<std::uint32_t>(code), nullptr, 0);
  output();
}

}  // namespace wire::http2
