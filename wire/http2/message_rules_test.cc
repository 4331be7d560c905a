#include "wire/http2/message_rules.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nghttp2/nghttp2.h>

namespace wire::http2 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// What a peer sends on a stream.
struct Frame {
  bool data = false;
  bool ends = false;
  std::size_t bytes = 0;  // of data
  Fields fields;
};

/// What became of it: the fields that are taken, and what the frames are.
using Story = std::string;

Story judged(MessageRules& rules, const std::vector<Frame>& frames) {
  Story story;
  bool first = true;
  for (const Frame& frame : frames) {
    if (frame.data) {
      const bool good =
          (frame.bytes == 0 || rules.add_data(frame.bytes)) && (!frame.ends || rules.may_end());
      story += good ? "data\n" : "cut\n";
      if (!good) return story;
      continue;
    }
    rules.begin_block(std::exchange(first, false));
    for (const auto& [name, value] : frame.fields) {
      const Verdict verdict = rules.judge(lookup_header(name), name, value);
      if (verdict == Verdict::Broken) return story + "header\n";
      if (verdict == Verdict::Take) story.append(name).append(": ").append(value).append("\n");
    }
    if (!rules.end_block(frame.ends)) return story + "messaging\n";
    story += "head\n";
  }
  return story;
}

/// nghttp2 with its own rules, as the judge of ours.
class Nghttp2 {
 public:
  explicit Nghttp2(const std::string& method_asked) : server_(method_asked.empty()) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(options, 1);
    if (server_) {
      nghttp2_session_server_new2(&session_, callbacks, this, options);
    } else {
      nghttp2_session_client_new2(&session_, callbacks, this, options);
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    nghttp2_hd_deflate_new(&deflater_, 4096);
    const nghttp2_settings_entry connect{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &connect, server_ ? 1 : 0);
    if (!server_) {
      const Fields fields = {{":method", method_asked}, {":path", "/"}, {":scheme", "http"}};
      const auto list = list_of(fields);
      nghttp2_submit_request(session_, nullptr, list.data(), list.size(), nullptr, nullptr);
    }
    send();
    if (server_) feed(NGHTTP2_CLIENT_MAGIC);
    feed(std::string("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS
    story_.clear();
  }
  ~Nghttp2() {
    nghttp2_session_del(session_);
    nghttp2_hd_deflate_del(deflater_);
  }
  Nghttp2(const Nghttp2&) = delete;
  Nghttp2& operator=(const Nghttp2&) = delete;

  Story judged(const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) {
      std::string payload(frame.bytes, 'x');
      if (!frame.data) {
        const auto list = list_of(frame.fields);
        std::uint8_t block[4096];
        const ssize_t size =
            nghttp2_hd_deflate_hd(deflater_, block, sizeof block, list.data(), list.size());
        payload.assign(reinterpret_cast<const char*>(block), static_cast<std::size_t>(size));
      }
      const char head[] = {0,
                           static_cast<char>(payload.size() >> 8),
                           static_cast<char>(payload.size()),
                           static_cast<char>(frame.data ? NGHTTP2_DATA : NGHTTP2_HEADERS),
                           static_cast<char>((frame.data ? 0 : NGHTTP2_FLAG_END_HEADERS) |
                                             (frame.ends ? NGHTTP2_FLAG_END_STREAM : 0)),
                           0,
                           0,
                           0,
                           1};
      const std::size_t frames_before = frames_;
      feed(std::string(head, sizeof head) + payload);
      if (broken_) break;
      if (frames_ == frames_before) {
        story_ += "cut\n";
        break;
      }
    }
    return story_;
  }

 private:
  static Nghttp2& self(void* user_data) { return *static_cast<Nghttp2*>(user_data); }
  static std::vector<nghttp2_nv> list_of(const Fields& fields) {
    std::vector<nghttp2_nv> list;
    for (const auto& [name, value] : fields) {
      list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                      value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return list;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user_data) {
    Story& story = self(user_data).story_;
    story.append(reinterpret_cast<const char*>(name), name_size).append(": ");
    story.append(reinterpret_cast<const char*>(value), value_size).append("\n");
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    ++self(user_data).frames_;
    if (frame->hd.type == NGHTTP2_DATA) self(user_data).story_ += "data\n";
    if (frame->hd.type == NGHTTP2_HEADERS) self(user_data).story_ += "head\n";
    return 0;
  }
  static int on_invalid(nghttp2_session*, const nghttp2_frame*, int error, void* user_data) {
    Nghttp2& nghttp2 = self(user_data);
    nghttp2.broken_ = true;
    nghttp2.story_ += error == NGHTTP2_ERR_HTTP_HEADER      ? "header\n"
                      : error == NGHTTP2_ERR_HTTP_MESSAGING ? "messaging\n"
                                                            : "another error\n";
    return 0;
  }
  void feed(const std::string& bytes) {
    const ssize_t read = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    EXPECT_EQ(read, static_cast<ssize_t>(bytes.size()));
  }
  void send() {
    const std::uint8_t* bytes = nullptr;
    while (nghttp2_session_mem_send(session_, &bytes) > 0) {
    }
  }

  bool server_;
  bool broken_ = false;
  std::size_t frames_ = 0;
  nghttp2_session* session_ = nullptr;
  nghttp2_hd_deflater* deflater_ = nullptr;
  Story story_;
};

/// Makes messages that are nearly right.
class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }
  template <std::size_t N>
  std::string_view one_of(const std::string_view (&choices)[N]) {
    return choices[below(N)];
  }

  /// The first, which is in order, more often than not.
  template <std::size_t N>
  std::string_view mostly_first_of(const std::string_view (&choices)[N]) {
    return below(3) > 0 ? choices[0] : one_of(choices);
  }

  Fields request() {
    static constexpr std::string_view kMethods[] = {"GET",     "POST",    "HEAD", "OPTIONS",
                                                    "CONNECT", "CONNECT", "",     "G T"};
    static constexpr std::string_view kPaths[] = {"/", "/a?b", "/a", "*", "", "a", "/ ", "/\x7f"};
    static constexpr std::string_view kSchemes[] = {"http", "https", "HTTP", "http",
                                                    "ftp",  "h^p",   "",     "1http"};
    static constexpr std::string_view kAuthorities[] = {"a", "a:80", "b.example", "[::1]",
                                                        "",  "a b",  "a",         "\x80"};
    static constexpr std::string_view kProtocols[] = {"websocket", "", " \t", "x"};
    Fields fields;
    if (below(20) > 0) fields.emplace_back(":method", mostly_first_of(kMethods));
    if (below(8) > 0) fields.emplace_back(":scheme", mostly_first_of(kSchemes));
    if (below(8) > 0) fields.emplace_back(":path", mostly_first_of(kPaths));
    if (below(8) > 0) fields.emplace_back(":authority", mostly_first_of(kAuthorities));
    if (below(6) == 0) fields.emplace_back(":protocol", mostly_first_of(kProtocols));
    if (below(6) == 0) fields.emplace_back("host", one_of(kAuthorities));
    add_headers(fields);
    return fields;
  }
  Fields response() {
    static constexpr std::string_view kStatuses[] = {"200", "204", "304", "404", "100", "103",
                                                     "101", "20",  "0",   "2x0", "199", "099"};
    Fields fields;
    if (below(20) > 0) fields.emplace_back(":status", one_of(kStatuses));
    add_headers(fields);
    return fields;
  }
  Fields trailers() {
    Fields fields;
    add_headers(fields);
    return fields;
  }

 private:
  void add_headers(Fields& fields) {
    static constexpr std::string_view kNames[] = {"content-length",
                                                  "content-length",
                                                  "te",
                                                  "host",
                                                  "x-a",
                                                  "accept",
                                                  "content-type",
                                                  "connection",
                                                  "keep-alive",
                                                  "upgrade",
                                                  "priority",
                                                  "",
                                                  "X-A",
                                                  "x a",
                                                  "transfer-encoding",
                                                  "proxy-connection",
                                                  ":path",
                                                  ":status",
                                                  ":new",
                                                  ":",
                                                  "x-request-id"};
    static constexpr std::string_view kValues[] = {"0",
                                                   "5",
                                                   "64",
                                                   "+5",
                                                   "",
                                                   "trailers",
                                                   "Trailers",
                                                   "trailer",
                                                   "a\tb",
                                                   " a",
                                                   "\x80\xff ",
                                                   "a\x7f",
                                                   "12345678",
                                                   "1234567\x1f",
                                                   "1234567\x01z",
                                                   "abcdefghijklmnopqrst\x7fuv",
                                                   "abcdefghijklmnopqrst\tuv",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "a\n"};
    for (std::size_t left = below(4); left > 0; --left) {
      const std::string_view name = one_of(kNames);
      const bool length = name == "content-length" && below(4) > 0;
      fields.emplace_back(name, length ? (below(2) == 0 ? "0" : "5") : one_of(kValues));
    }
    if (fields.size() > 1 && below(8) == 0) {
      std::swap(fields[below(fields.size())], fields[below(fields.size())]);
    }
    if (!fields.empty() && below(16) == 0) fields.push_back(fields[below(fields.size())]);
  }

  std::mt19937 random_;
};

std::string text_of(const std::vector<Frame>& frames) {
  std::string text;
  for (const Frame& frame : frames) {
    text += frame.data ? "DATA " + std::to_string(frame.bytes) : std::string("HEADERS");
    text += frame.ends ? " ends\n" : "\n";
    for (const auto& [name, value] : frame.fields) text += "  " + name + ": " + value + "\n";
  }
  return text;
}

/// The frames that follow a head, up to one that ends the stream.
void add_rest(Maker& make, std::vector<Frame>& frames) {
  static constexpr std::size_t kSizes[] = {0, 2, 3, 5, 6};
  while (!frames.back().ends) {
    const bool data = make.below(3) > 0;
    frames.push_back({data, make.below(2) == 0, data ? kSizes[make.below(5)] : 0,
                      data ? Fields{} : make.trailers()});
  }
}

TEST(MessageRulesTest, JudgesRequestsAsNghttp2Does) {
  Maker make(1);
  std::size_t good = 0;
  for (int i = 0; i < 20000; ++i) {
    std::vector<Frame> frames;
    frames.push_back({false, make.below(3) == 0, 0, make.request()});
    add_rest(make, frames);
    MessageRules rules;
    rules.expect_request(true);
    const Story story = Nghttp2("").judged(frames);
    ASSERT_EQ(judged(rules, frames), story) << text_of(frames);
    if (story.find("head\n") != story.npos) ++good;
  }
  EXPECT_GT(good, 1000U);
}

TEST(MessageRulesTest, JudgesResponsesAsNghttp2Does) {
  Maker make(2);
  std::size_t good = 0;
  for (int i = 0; i < 20000; ++i) {
    static constexpr std::string_view kMethods[] = {"GET", "HEAD", "CONNECT", "OPTIONS"};
    const std::string method(make.one_of(kMethods));
    std::vector<Frame> frames;
    do {
      frames.push_back({false, make.below(4) == 0, 0, make.response()});
    } while (!frames.back().ends && make.below(2) == 0);
    add_rest(make, frames);
    MessageRules rules;
    rules.expect_response(method);
    const Story story = Nghttp2(method).judged(frames);
    ASSERT_EQ(judged(rules, frames), story) << method << "\n" << text_of(frames);
    if (story.find("head\n") != story.npos) ++good;
  }
  EXPECT_GT(good, 1000U);
}

TEST(MessageRulesTest, ExtendedConnectMustHaveBeenOffered) {
  for (const bool offered : {false, true}) {
    MessageRules rules;
    rules.expect_request(offered);
    rules.begin_block(true);
    EXPECT_EQ(rules.judge(HeaderName::Other, ":protocol", "websocket"),
              offered ? Verdict::Take : Verdict::Broken);
  }
}

TEST(MessageRulesTest, AnAuthorityHasNoUserInformation) {
  MessageRules rules;
  rules.expect_request(false);
  rules.begin_block(true);
  EXPECT_EQ(rules.judge(HeaderName::PseudoAuthority, ":authority", "a@b"), Verdict::Broken);
}

}  // namespace
}  // namespace wire::http2
