#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/tls_setup.h"
#include "document/reader.h"
#include "mesh/model.h"

/// Reads what scenario files say of TLS. Whatever is wrong goes to the reader's Problems.
namespace conformance {

/// `pki`: each with the issuer before those that it issues.
std::vector<CertificateSetup> read_pki(document::Reader at);

/// `files`, `secrets` and `acm`, of a world or of a step's `set`. `in` may have other members.
Materials read_materials(document::Reader& in, const std::vector<CertificateSetup>& pki);

ClientTls read_client_tls(document::Reader at, const std::vector<CertificateSetup>& pki);
ServiceTls read_service_tls(document::Reader at, const std::vector<CertificateSetup>& pki);

/// Every file, secret and ARN that listeners and policies of the mesh name must be among
/// `materials`; reported at the resource that names it.
void check_materials(const mesh::Mesh& mesh, const Materials& materials,
                     document::Problems& problems);

}  // namespace conformance
