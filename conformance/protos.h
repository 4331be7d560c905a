#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "world/result.h"

namespace conformance {

/// The message types and services of .proto files, for messages that a scenario writes as JSON.
class Protos {
 public:
  using ReadFile = std::function<world::Result<std::string>(const std::string& path)>;

  /// Reads the files and what they import. google/protobuf/*.proto is known without a file. Errors:
  /// all that protoc would say, with its lines and columns.
  static world::Result<std::shared_ptr<const Protos>, world::Errors> load(
      const std::vector<std::string>& paths, const ReadFile& read_file);
  ~Protos();
  Protos(const Protos&) = delete;
  Protos& operator=(const Protos&) = delete;

  bool has_type(const std::string& type) const;
  struct Method {
    std::string request;
    std::string response;
  };
  /// Of "/package.Service/Method".
  std::optional<Method> method(std::string_view path) const;

  /// A message in protobuf's own form. Errors: there is no such type, or this is not it.
  world::Result<std::string> encode(const std::string& type, const std::string& json) const;
  /// In the canonical JSON form, fields that have their default value left out.
  world::Result<std::string> decode(const std::string& type, std::string_view bytes) const;

 private:
  struct Pool;
  explicit Protos(std::unique_ptr<Pool> pool);

  std::unique_ptr<Pool> pool_;
};

}  // namespace conformance
