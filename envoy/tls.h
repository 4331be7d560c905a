#pragma once

#include <map>
#include <string>
#include <vector>

#include "envoy/json.h"
#include "envoy/secret_file.h"
#include "proxy/plan.h"

namespace envoy {

/// Transport sockets, and the secrets that they ask for.
///
/// What a mesh names by file is named by file, and read once, as App Mesh's Envoy did. A secret by
/// SDS, or of ACM, is a file of its own, `<folder>/sds/<name>.json`, which names the files of PEM
/// that someone has to put there: Envoy takes over what is moved there while it runs.
///
/// Source: AM-TLS-01 to -11, AM-MTL-01, AM-ROT-01 to -03, ENV-TLS-16.
class Tls {
 public:
  /// `folder`: where the bootstrap will be, as Envoy is to be told of it.
  explicit Tls(std::string folder) : folder_(std::move(folder)) {}

  Json of_listener(const proxy::TlsPlan& plan);
  Json of_cluster(const proxy::TlsPlan& plan);

  /// By their paths below the folder.
  const std::map<std::string, Json>& files() const { return files_; }
  /// What has to be put where; and the same, a clause each.
  const std::vector<SecretFile>& secrets() const { return secrets_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Json common(const proxy::TlsPlan& plan);
  Json validation(const proxy::TlsPlan& plan);
  /// The SdsSecretConfig of a secret whose file is written once.
  Json by_file(const proxy::SecretName& name, bool trust);
  void add_file(const std::string& path, const std::string& resource, const proxy::SecretName& name,
                bool trust);

  std::string folder_;
  std::map<std::string, Json> files_;
  std::vector<SecretFile> secrets_;
  std::vector<std::string> notes_;
};

}  // namespace envoy
