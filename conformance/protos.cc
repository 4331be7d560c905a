#include "conformance/protos.h"

#include <map>
#include <utility>

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

// protobuf's headers define macros and are slow to compile: they stay in this file.

namespace conformance {
namespace {

namespace pb = google::protobuf;

/// Files as the scenario names them, and protobuf's own from the library.
class Files final : public pb::compiler::SourceTree {
 public:
  explicit Files(const Protos::ReadFile& read_file) : read_file_(read_file) {}

  pb::io::ZeroCopyInputStream* Open(pb::ConstStringParam name) override {
    auto [found, added] = texts_.emplace(name, std::string());
    if (added) {
      const pb::FileDescriptor* known =
          name.rfind("google/protobuf/", 0) == 0
              ? pb::DescriptorPool::generated_pool()->FindFileByName(name)
              : nullptr;
      if (known != nullptr) {
        found->second = known->DebugString();
      } else {
        auto text = read_file_(name);
        if (!text) {
          texts_.erase(found);
          error_ = text.error().message;
          return nullptr;
        }
        found->second = std::move(text).value();
      }
    }
    return new pb::io::ArrayInputStream(found->second.data(),
                                        static_cast<int>(found->second.size()));
  }
  std::string GetLastErrorMessage() override { return error_; }

 private:
  const Protos::ReadFile& read_file_;
  std::map<std::string, std::string> texts_;
  std::string error_;
};

class ErrorList final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    // It counts from 0, and says -1 where it does not know.
    errors.push_back({{},
                      message,
                      {.file = file,
                       .line = static_cast<std::uint32_t>(line + 1),
                       .column = static_cast<std::uint32_t>(column + 1)}});
  }
  world::Errors errors;
};

world::Error error(std::string message) {
  return {{}, std::move(message), {}};
}

}  // namespace

struct Protos::Pool {
  explicit Pool(const ReadFile& read)
      : read_file(read), files(read_file), importer(&files, &told) {}

  ReadFile read_file;
  Files files;
  ErrorList told;
  pb::compiler::Importer importer;
  std::unique_ptr<pb::DynamicMessageFactory> factory;
};

Protos::Protos(std::unique_ptr<Pool> pool) : pool_(std::move(pool)) {}

Protos::~Protos() = default;

world::Result<std::shared_ptr<const Protos>, world::Errors> Protos::load(
    const std::vector<std::string>& paths, const ReadFile& read_file) {
  auto pool = std::make_unique<Pool>(read_file);
  for (const std::string& path : paths) (void)pool->importer.Import(path);
  if (!pool->told.errors.empty()) return pool->told.errors;
  pool->factory = std::make_unique<pb::DynamicMessageFactory>(pool->importer.pool());
  return std::shared_ptr<const Protos>(new Protos(std::move(pool)));
}

bool Protos::has_type(const std::string& type) const {
  return pool_->importer.pool()->FindMessageTypeByName(type) != nullptr;
}

std::optional<Protos::Method> Protos::method(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0) return std::nullopt;
  const std::string name =
      std::string(path.substr(1, slash - 1)) + "." + std::string(path.substr(slash + 1));
  const pb::MethodDescriptor* method = pool_->importer.pool()->FindMethodByName(name);
  if (method == nullptr) return std::nullopt;
  return Method{method->input_type()->full_name(), method->output_type()->full_name()};
}

world::Result<std::string> Protos::encode(const std::string& type, const std::string& json) const {
  const pb::Descriptor* descriptor = pool_->importer.pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return error("there is no message type " + type);
  const std::unique_ptr<pb::Message> message(pool_->factory->GetPrototype(descriptor)->New());
  const auto parsed = pb::util::JsonStringToMessage(json, message.get());
  if (!parsed.ok()) return error("must be a " + type + ": " + std::string(parsed.message()));
  return message->SerializeAsString();
}

world::Result<std::string> Protos::decode(const std::string& type, std::string_view bytes) const {
  const pb::Descriptor* descriptor = pool_->importer.pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return error("there is no message type " + type);
  const std::unique_ptr<pb::Message> message(pool_->factory->GetPrototype(descriptor)->New());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return error("is no " + type);
  }
  std::string json;
  const auto printed = pb::util::MessageToJsonString(*message, &json);
  if (!printed.ok()) return error("is no " + type + ": " + std::string(printed.message()));
  return json;
}

}  // namespace conformance
