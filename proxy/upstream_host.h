#pragma once

#include <cstddef>
#include <forward_list>
#include <memory>
#include <string>

#include <boost/container/small_vector.hpp>

#include "proxy/host_checker.h"
#include "proxy/outlier.h"
#include "proxy/upstream.h"
#include "world/transport.h"

namespace proxy {

/// One endpoint: its address, its connections, its queue, and what is known of its health.
class UpstreamHost {
 public:
  explicit UpstreamHost(const world::Endpoint& endpoint);
  ~UpstreamHost();
  UpstreamHost(const UpstreamHost&) = delete;
  UpstreamHost& operator=(const UpstreamHost&) = delete;

  /// Where it is now, and as a log says it.
  struct Address {
    world::Endpoint endpoint;
    std::string text;
  };
  const Address& address() const { return moves_.empty() ? first_address_ : moves_.front(); }
  /// New connections go there; those that it has stay where they are.
  void move_to(const world::Endpoint& endpoint);

  bool healthy() const { return !ejected() && (checker == nullptr || checker->healthy()); }
  bool failed_check() const { return checker != nullptr && !checker->healthy(); }
  bool ejected() const { return outlier.ejected; }

  std::unique_ptr<HostChecker> checker;  ///< Null where there are no checks.
  OutlierState outlier;
  bool excluded = false;   ///< Its own answer said that it fails.
  bool dismissed = false;  ///< It is not the cluster's any more: what it has goes on.
  bool leaving = false;    ///< Discovery has lost it; it stays until a check fails.

 private:
  friend class Upstream;
  friend class UpstreamConnection;

  void enqueue(UpstreamRequest& request);
  void dequeue(UpstreamRequest& request);

  Address first_address_;
  std::forward_list<Address> moves_;  // the newest first; connections keep the others
  UpstreamRequest* first_ = nullptr;
  UpstreamRequest* last_ = nullptr;
  std::size_t queued_ = 0;
  std::size_t connecting_ = 0;
  boost::container::small_vector<std::unique_ptr<UpstreamConnection>, 1> connections_;
  UpstreamConnection* ready_ = nullptr;  // have room: the one that was used last, then others
};

}  // namespace proxy
