#include <connectid/testing/certificate.hpp>

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <cstdint>
#include <cstring>

#include "testing/openssl.hpp"

namespace connectid::inline v0::testing {
namespace {

using namespace std::chrono_literals;
using detail::Bio;
using detail::Key;
using detail::openssl_must;
using detail::openssl_own;
using detail::X509Certificate;

using Names = std::unique_ptr<GENERAL_NAMES, detail::FreeWith<GENERAL_NAMES_free>>;
using Name = std::unique_ptr<GENERAL_NAME, detail::FreeWith<GENERAL_NAME_free>>;
using Address = std::unique_ptr<ASN1_OCTET_STRING, detail::FreeWith<ASN1_OCTET_STRING_free>>;
using DnsName = std::unique_ptr<ASN1_IA5STRING, detail::FreeWith<ASN1_IA5STRING_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, detail::FreeWith<X509_EXTENSION_free>>;

struct Signer {
  X509* certificate;
  EVP_PKEY* key;
};

Key make_key() { return openssl_own<Key>(EVP_EC_gen("P-256"), "making a key"); }

/// 63 random bits: positive, and another one each time, as RFC 5280 section 4.1.2.2 asks.
std::uint64_t draw_number() {
  std::uint64_t number = 0;
  openssl_must(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) == 1, "drawing a number");
  return number >> 1U;
}

void set_validity(X509* certificate, std::chrono::seconds from, std::chrono::seconds until) {
  openssl_must(X509_gmtime_adj(X509_getm_notBefore(certificate), from.count()) != nullptr, "setting notBefore");
  openssl_must(X509_gmtime_adj(X509_getm_notAfter(certificate), until.count()) != nullptr, "setting notAfter");
}

void set_common_name(X509* certificate, const std::string& name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.c_str());
  openssl_must(
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, bytes, -1, -1, 0) == 1,
      "setting the subject");
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const auto extension =
      openssl_own<Extension>(X509V3_EXT_conf_nid(nullptr, &context, nid, value), "making an extension");
  openssl_must(X509_add_ext(certificate, extension.get(), -1) == 1, "adding an extension");
}

Name general_name(const std::string& host) {
  auto name = openssl_own<Name>(GENERAL_NAME_new(), "making a name");
  if (Address address{a2i_IPADDRESS(host.c_str())}) {
    GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address.release());
    return name;
  }
  auto dns = openssl_own<DnsName>(ASN1_IA5STRING_new(), "making a DNS name");
  openssl_must(ASN1_STRING_set(dns.get(), host.data(), static_cast<int>(host.size())) == 1, "setting a DNS name");
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, dns.release());
  return name;
}

void add_hosts(X509* certificate, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return;
  const auto names = openssl_own<Names>(GENERAL_NAMES_new(), "making a list of names");
  for (const std::string& host : hosts) {
    auto name = general_name(host);
    openssl_must(sk_GENERAL_NAME_push(names.get(), name.get()) > 0, "adding a name");
    static_cast<void>(name.release());
  }
  openssl_must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1, "adding the names");
}

/// Version 3 with serial, subject and key: what every certificate has.
X509Certificate make_blank(const std::string& common_name, EVP_PKEY* key) {
  auto certificate = openssl_own<X509Certificate>(X509_new(), "making a certificate");
  openssl_must(X509_set_version(certificate.get(), X509_VERSION_3) == 1, "setting the version");
  openssl_must(X509_set_pubkey(certificate.get(), key) == 1, "setting the key");
  openssl_must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), draw_number()) == 1,
               "setting the serial");
  set_common_name(certificate.get(), common_name);
  return certificate;
}

void sign(X509* certificate, const Signer& signer) {
  openssl_must(X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate)) == 1, "setting the issuer");
  openssl_must(X509_sign(certificate, signer.key, EVP_sha256()) > 0, "signing");
}

/// Valid for longer than any leaf, so that a leaf out of its time fails for its own sake. With a name of its own:
/// authorities are looked up by name, and one that is not trusted would stand in the way of its namesake that is.
X509Certificate make_authority(EVP_PKEY* key) {
  auto certificate = make_blank("connectid::testing authority " + std::to_string(draw_number()), key);
  X509* const self = certificate.get();
  set_validity(self, -10 * 365 * 24h, 10 * 365 * 24h);
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  sign(self, {self, key});
  return certificate;
}

X509Certificate make_leaf(EVP_PKEY* key, const Signer& authority, const CertificateOptions& options) {
  auto certificate = make_blank("connectid::testing server", key);
  X509* const self = certificate.get();
  set_validity(self, options.valid_from, options.valid_for);
  add_extension(self, authority.certificate, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(self, authority.certificate, NID_key_usage, "critical,digitalSignature");
  add_extension(self, authority.certificate, NID_ext_key_usage, "serverAuth,clientAuth");
  add_extension(self, authority.certificate, NID_subject_key_identifier, "hash");
  add_extension(self, authority.certificate, NID_authority_key_identifier, "keyid:always");
  add_hosts(self, options.hosts);
  sign(self, authority);
  return certificate;
}

template <class Write>
std::string pem(Write write) {
  const auto memory = openssl_own<Bio>(BIO_new(BIO_s_mem()), "making a buffer");
  openssl_must(write(memory.get()) == 1, "writing PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate); });
}

std::string pem_of(EVP_PKEY* key) {
  return pem([&](BIO* to) { return PEM_write_bio_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

}  // namespace

Certificate make_certificate(const CertificateOptions& options) {
  const Key authority_key = make_key();
  const Key key = make_key();
  const X509Certificate authority = make_authority(authority_key.get());
  const X509Certificate leaf = make_leaf(key.get(), {authority.get(), authority_key.get()}, options);
  return {.authority = pem_of(authority.get()), .chain = pem_of(leaf.get()), .key = pem_of(key.get())};
}

}  // namespace connectid::inline v0::testing
