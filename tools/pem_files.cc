#include "tools/pem_files.h"

#include <utility>

#include <fmt/format.h>

#include "tools/read_file.h"

namespace tools {

world::Result<std::shared_ptr<const wire::tls::Identity>, std::vector<PemProblem>> read_identity(
    const std::string& certificate, const std::string& key) {
  std::vector<PemProblem> problems;
  const auto text_of = [&problems](const std::string& path, PemProblem::Of of) {
    std::string wrong;
    std::string text = read_file(path, wrong);
    if (!wrong.empty()) problems.push_back({of, fmt::format("{}: {}", path, wrong)});
    return text;
  };
  const std::string chain_text = text_of(certificate, PemProblem::Of::Certificate);
  const std::string key_text = text_of(key, PemProblem::Of::Key);
  if (!problems.empty()) return problems;
  auto identity = wire::tls::Identity::read(chain_text, key_text);
  if (identity) return std::move(*identity);
  problems.push_back(
      {PemProblem::Of::Pair, fmt::format("{} with {}: {}", certificate, key, identity.error())});
  return problems;
}

world::Result<std::shared_ptr<const wire::tls::TrustBundle>, std::string> read_trust(
    const std::string& path) {
  std::string wrong;
  const std::string text = read_file(path, wrong);
  if (!wrong.empty()) return fmt::format("{}: {}", path, wrong);
  auto trust = wire::tls::TrustBundle::read(text);
  if (trust) return std::move(*trust);
  return fmt::format("{}: {}", path, trust.error());
}

}  // namespace tools
