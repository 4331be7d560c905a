#include "tools/version.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <nlohmann/json.hpp>

#include "reports/results_json.h"

namespace tools {
namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

nlohmann::ordered_json parts() {
  const auto schema = nlohmann::json::parse(reports::results_schema());
  return {{"version", version()},
          {"compiler", compiler()},
          // Of the libraries that are loaded, which need not be those it was built with.
          {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
          {"nghttp2", nghttp2_version(0)->version_str},
          {"results_format", schema.at("properties").at("format").at("const")}};
}

}  // namespace

std::string_view version() {
  return MESHPROOF_VERSION;
}

std::string version_text() {
  const nlohmann::ordered_json all = parts();
  std::string text = fmt::format("meshproof {}\n", version());
  for (const auto& [name, value] : all.items()) {
    if (name == "version") continue;
    text += fmt::format("  {:<14} {}\n", name,
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

std::string version_json() {
  return parts().dump(2) + "\n";
}

}  // namespace tools
