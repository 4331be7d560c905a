#include "pki/authority.h"

#include <array>
#include <cassert>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "wire/tls/scope.h"

namespace pki {
namespace {

using wire::tls::Freed;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;

std::string text_of(const Bio& bio) {
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Key make_key(Description::Key kind) {
  switch (kind) {
    case Description::Key::EcP256:
      return Key(EVP_EC_gen("P-256"));
    case Description::Key::Rsa1024:
      return Key(EVP_RSA_gen(1024));
    case Description::Key::Rsa2048:
      return Key(EVP_RSA_gen(2048));
    case Description::Key::Rsa4096:
      return Key(EVP_RSA_gen(4096));
  }
  return {};
}

Key key_from(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

Certificate certificate_from(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

void set_time(ASN1_TIME* field, world::CalendarTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  const ASN1_TIME* const set = ASN1_TIME_set(field, static_cast<time_t>(seconds));
  assert(set != nullptr);
  (void)set;
}

/// `value` as OpenSSL's configuration files have it.
void add_extension(X509* certificate, X509V3_CTX& context, int which, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str()));
  assert(extension != nullptr);
  X509_add_ext(certificate, extension.get(), -1);
}

/// The names may hold anything, commas too, which a configuration's text cannot say.
void add_names(X509* certificate, const std::vector<SubjectName>& names) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> list(sk_GENERAL_NAME_new_null());
  for (const SubjectName& name : names) {
    GENERAL_NAME* const entry = GENERAL_NAME_new();
    if (name.kind == SubjectName::Kind::Ip) {
      GENERAL_NAME_set0_value(entry, GEN_IPADD, a2i_IPADDRESS(name.text.c_str()));
    } else {
      ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
      ASN1_STRING_set(text, name.text.data(), static_cast<int>(name.text.size()));
      const int kind = name.kind == SubjectName::Kind::Dns ? GEN_DNS : GEN_URI;
      GENERAL_NAME_set0_value(entry, kind, text);
    }
    sk_GENERAL_NAME_push(list.get(), entry);
  }
  X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, 0);
}

void add_extensions(X509* certificate, X509* issuer, const Description& description) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  add_extension(certificate, context, NID_basic_constraints,
                description.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (description.authority) {
    add_extension(certificate, context, NID_key_usage,
                  "critical,digitalSignature,keyCertSign,cRLSign");
    add_extension(certificate, context, NID_subject_key_identifier, "hash");
  } else if (description.cannot_sign) {
    add_extension(certificate, context, NID_key_usage, "critical,keyEncipherment");
  }
  if (!description.names.empty()) add_names(certificate, description.names);
  if (description.authority || !description.uses) return;
  std::string uses;
  for (const Description::Use use : *description.uses) {
    constexpr std::array<const char*, 3> kNames = {"serverAuth", "clientAuth", "codeSigning"};
    uses += (uses.empty() ? "" : ",") + std::string(kNames[static_cast<std::size_t>(use)]);
  }
  add_extension(certificate, context, NID_ext_key_usage, uses);
}

/// What one certificate is told from another by.
std::string fingerprint(const Description& description, const Issued* issuer, std::uint64_t seed) {
  std::string out = description.name + '\0' + std::to_string(seed);
  const auto add = [&out](auto number) { out += '\0' + std::to_string(number); };
  add(static_cast<int>(description.key));
  add(description.authority);
  add(description.cannot_sign);
  add(description.not_before.time_since_epoch().count());
  add(description.not_after.time_since_epoch().count());
  for (const SubjectName& name : description.names) {
    add(static_cast<int>(name.kind));
    out += '\0' + name.text;
  }
  add(description.uses.has_value());
  for (const auto use : description.uses.value_or(std::vector<Description::Use>{})) {
    add(static_cast<int>(use));
  }
  return out + '\0' + (issuer != nullptr ? issuer->certificate : "");
}

/// All that this process has made.
class Vault {
 public:
  IssuedPtr issue(const Description& description, const IssuedPtr& issuer, std::uint64_t seed) {
    const std::lock_guard lock(mutex_);
    IssuedPtr& kept = issued_[fingerprint(description, issuer.get(), seed)];
    if (kept == nullptr) kept = make(description, issuer, seed);
    return kept;
  }

 private:
  /// Drawn from a stream of its own, so that who asks first makes no difference.
  const std::string& key_of(const Description& description, std::uint64_t seed) {
    std::string& kept = keys_[{description.name, description.key, seed}];
    if (kept.empty()) {
      world::Random random = world::Random(seed).fork("key of " + description.name);
      const wire::tls::Scope scope(random);
      const Key key = make_key(description.key);
      const Bio bio(BIO_new(BIO_s_mem()));
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
      kept = text_of(bio);
    }
    return kept;
  }

  IssuedPtr make(const Description& description, const IssuedPtr& issuer, std::uint64_t seed) {
    auto issued = std::make_shared<Issued>();
    issued->description = description;
    issued->issuer = issuer;
    issued->key = key_of(description, seed);
    world::Random random = world::Random(seed).fork("certificate of " + description.name);
    const wire::tls::Scope scope(random);
    const Key key = key_from(issued->key);
    const Certificate certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), random.next() >> 1);
    set_time(X509_getm_notBefore(certificate.get()), description.not_before);
    set_time(X509_getm_notAfter(certificate.get()), description.not_after);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(description.name.data()),
                               static_cast<int>(description.name.size()), -1, 0);
    const Certificate parent = issuer ? certificate_from(issuer->certificate) : nullptr;
    X509* const signer = parent ? parent.get() : certificate.get();
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
    add_extensions(certificate.get(), signer, description);
    const Key parent_key = issuer ? key_from(issuer->key) : nullptr;
    X509_sign(certificate.get(), parent_key ? parent_key.get() : key.get(), EVP_sha256());
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    issued->certificate = text_of(bio);
    ERR_clear_error();
    return issued;
  }

  std::mutex mutex_;
  std::map<std::string, IssuedPtr> issued_;
  std::map<std::tuple<std::string, Description::Key, std::uint64_t>, std::string> keys_;
};

Vault& vault() {
  static Vault vault;
  return vault;
}

/// What was read from a text, for whoever comes with the same text. Bounded: then it begins anew.
template <class Key, class Made>
class Shelf {
 public:
  template <class Make>
  world::Result<std::shared_ptr<const Made>, std::string> get(const Key& key, Make&& make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = made_.find(key); found != made_.end()) return found->second;
    auto made = make();
    if (!made) return made;
    if (made_.size() >= kMost) made_.clear();
    made_.emplace(key, *made);
    return made;
  }

 private:
  static constexpr std::size_t kMost = 4096;

  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Made>> made_;
};

}  // namespace

IssuedPtr issue(const Description& description, const IssuedPtr& issuer, std::uint64_t seed) {
  return vault().issue(description, issuer, seed);
}

IssuedPtr issue_authority(const std::string& name, const Validity& validity,
                          const IssuedPtr& issuer) {
  Description of;
  of.name = name;
  of.authority = true;
  of.not_before = validity.from;
  of.not_after = validity.until;
  return issue(of, issuer);
}

IssuedPtr issue_leaf(const std::string& name, std::vector<SubjectName> names,
                     const Validity& validity, const IssuedPtr& issuer) {
  Description of;
  of.name = name;
  of.names = std::move(names);
  of.not_before = validity.from;
  of.not_after = validity.until;
  return issue(of, issuer);
}

world::Result<std::shared_ptr<const wire::tls::Identity>, std::string> shared_identity(
    const std::string& chain, const std::string& key) {
  static Shelf<std::pair<std::string, std::string>, wire::tls::Identity> shelf;
  return shelf.get({chain, key}, [&] { return wire::tls::Identity::read(chain, key); });
}

world::Result<std::shared_ptr<const wire::tls::TrustBundle>, std::string> shared_trust(
    const std::string& pem) {
  static Shelf<std::string, wire::tls::TrustBundle> shelf;
  return shelf.get(pem, [&] { return wire::tls::TrustBundle::read(pem); });
}

std::shared_ptr<const wire::tls::Identity> identity_of(const Issued& leaf) {
  return *shared_identity(chain_of(leaf), leaf.key);
}

std::shared_ptr<const wire::tls::TrustBundle> trust_in(const Issued& authority) {
  return *shared_trust(authority.certificate);
}

std::string chain_of(const Issued& leaf) {
  std::string out = leaf.certificate;
  for (const Issued* one = leaf.issuer.get(); one != nullptr && one->issuer != nullptr;
       one = one->issuer.get()) {
    out += one->certificate;
  }
  return out;
}

}  // namespace pki
