#include "wire/tls/material.h"

#include <algorithm>
#include <cctype>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace wire::tls {
namespace {

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;

Bio reader_of(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// All certificates of a PEM text, or what is wrong with it.
std::string read_certificates(std::string_view pem, std::vector<X509*>& out) {
  const Bio bio = reader_of(pem);
  while (X509* const certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    out.push_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return "holds a certificate that cannot be read";
  return out.empty() ? "holds no certificate in PEM" : "";
}

/// Asks nobody for a password.
int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

bool same_but_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool stands_for(const SubjectName& name, const SubjectName& wanted) {
  if (name.kind != wanted.kind) return false;
  if (name.kind != SubjectName::Kind::Dns) return name.text == wanted.text;
  if (same_but_case(name.text, wanted.text)) return true;
  if (!name.text.starts_with("*.")) return false;
  const std::size_t dot = wanted.text.find('.');
  return dot != std::string::npos && dot > 0 && wanted.text[0] != '*' &&
         same_but_case(std::string_view(name.text).substr(1),
                       std::string_view(wanted.text).substr(dot));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* const bytes = ASN1_STRING_get0_data(address);
  if (ASN1_STRING_length(address) != 4) return "an IPv6 address";
  std::string out;
  for (int i = 0; i < 4; ++i) out += (i > 0 ? "." : "") + std::to_string(bytes[i]);
  return out;
}

}  // namespace

world::Result<std::shared_ptr<const Identity>, std::string> Identity::read(std::string_view chain,
                                                                           std::string_view key) {
  std::shared_ptr<Identity> identity(new Identity);
  if (auto wrong = read_certificates(chain, identity->chain_); !wrong.empty()) {
    return "the certificate chain " + wrong;
  }
  const Bio bio = reader_of(key);
  bool asked = false;
  identity->key_ = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &asked);
  ERR_clear_error();
  if (asked)
    return std::string("the private key is encrypted, which nobody can enter a password for");
  if (identity->key_ == nullptr) return std::string("the private key cannot be read as PEM");
  const bool match = X509_check_private_key(identity->chain_.front(), identity->key_) == 1;
  ERR_clear_error();
  if (!match) return std::string("the private key is not the certificate's");
  return std::shared_ptr<const Identity>(std::move(identity));
}

Identity::~Identity() {
  for (X509* certificate : chain_) X509_free(certificate);
  EVP_PKEY_free(key_);
}

Identity::KeyKind Identity::key_kind() const {
  const int kind = EVP_PKEY_get_base_id(key_);
  return kind == EVP_PKEY_EC ? KeyKind::Ec : kind == EVP_PKEY_RSA ? KeyKind::Rsa : KeyKind::Other;
}

int Identity::key_bits() const {
  return EVP_PKEY_get_bits(key_);
}

bool Identity::may_sign() const {
  return (X509_get_key_usage(chain_.front()) & X509v3_KU_DIGITAL_SIGNATURE) != 0;
}

std::string Identity::subject() const {
  return subject_of(chain_.front());
}

world::Result<std::shared_ptr<const TrustBundle>, std::string> TrustBundle::read(
    std::string_view pem) {
  std::shared_ptr<TrustBundle> bundle(new TrustBundle);
  if (auto wrong = read_certificates(pem, bundle->certificates_); !wrong.empty()) {
    return "the trust bundle " + wrong;
  }
  return std::shared_ptr<const TrustBundle>(std::move(bundle));
}

TrustBundle::~TrustBundle() {
  for (X509* certificate : certificates_) X509_free(certificate);
}

std::vector<SubjectName> names_of(const X509* certificate) {
  using Kind = SubjectName::Kind;
  std::vector<SubjectName> out;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    const auto text = [](const ASN1_STRING* from) {
      return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(from)),
                         static_cast<std::size_t>(ASN1_STRING_length(from)));
    };
    if (name->type == GEN_DNS) out.push_back({Kind::Dns, text(name->d.dNSName)});
    if (name->type == GEN_URI) out.push_back({Kind::Uri, text(name->d.uniformResourceIdentifier)});
    if (name->type == GEN_IPADD) out.push_back({Kind::Ip, address_text(name->d.iPAddress)});
  }
  return out;
}

std::string subject_of(const X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ);
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

bool has_name(const std::vector<SubjectName>& names, const std::vector<SubjectName>& wanted) {
  return std::any_of(names.begin(), names.end(), [&](const SubjectName& name) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](const SubjectName& one) { return stands_for(name, one); });
  });
}

}  // namespace wire::tls
