#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "peers/service_connection.h"
#include "wire/http2/session.h"

namespace peers {

/// A connection of HTTP/2: each stream is answered by itself.
class Service::Http2Connection final : public AnyConnection, private wire::http2::SessionEvents {
 public:
  Http2Connection(Service& service, std::unique_ptr<world::Transport> transport,
                  std::uint64_t number);
  ~Http2Connection() override;

  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_error(std::error_code error) override;
  void drop(bool reset) override;

 private:
  class Stream;
  struct Entered;

  wire::http2::Stream& on_stream() override;
  void on_output() override;
  void on_goaway(std::int32_t, wire::http2::ErrorCode) override {}

  void flush();
  /// Does what the answer says is done with the connection.
  void then(Answer::Then what);
  void close(bool reset, ServiceObserver::ConnectionEvent event);
  void wait_for_request();
  void idle_too_long();
  void remove_ended();

  Service& service_;
  std::uint64_t number_;
  std::unique_ptr<world::Transport> transport_;
  wire::http2::Session session_;
  std::vector<std::unique_ptr<Stream>> streams_;  // in order of their numbers
  std::unique_ptr<world::Timer> idle_timer_;
  std::string out_;
  std::uint32_t depth_ = 0;
  bool closed_ = false;
  bool going_away_ = false;
  bool peer_ended_ = false;
};

}  // namespace peers
