#include <connectid/testing/certificate.hpp>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
using connectid::testing::Certificate;
using connectid::testing::make_certificate;

template <class T, void (*Free)(T*)>
struct FreeWith {
  void operator()(T* object) const { Free(object); }
};
using Parsed = std::unique_ptr<X509, FreeWith<X509, X509_free>>;
using Store = std::unique_ptr<X509_STORE, FreeWith<X509_STORE, X509_STORE_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX, X509_STORE_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY, EVP_PKEY_free>>;

std::unique_ptr<BIO, int (*)(BIO*)> reader_of(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

Parsed parse(const std::string& pem) {
  return Parsed(PEM_read_bio_X509(reader_of(pem).get(), nullptr, nullptr, nullptr));
}

Key parse_key(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, nullptr, nullptr));
}

/// What a client's strict check as a TLS server gives.
int verify(const std::string& leaf, const std::string& authority) {
  const Store store(X509_STORE_new());
  const Parsed root = parse(authority);
  const Parsed certificate = parse(leaf);
  X509_STORE_add_cert(store.get(), root.get());
  const Verification check(X509_STORE_CTX_new());
  X509_STORE_CTX_init(check.get(), store.get(), certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(check.get()), X509_V_FLAG_X509_STRICT);
  X509_verify_cert(check.get());
  return X509_STORE_CTX_get_error(check.get());
}

bool valid_for_name(const Certificate& certificate, const char* name) {
  return X509_check_host(parse(certificate.chain).get(), name, 0, 0, nullptr) == 1;
}

bool valid_for_address(const Certificate& certificate, const char* address) {
  return X509_check_ip_asc(parse(certificate.chain).get(), address, 0) == 1;
}

TEST(Certificate, verifies_strictly_against_its_authority) {
  const Certificate made = make_certificate();
  EXPECT_EQ(verify(made.chain, made.authority), X509_V_OK);
}

TEST(Certificate, does_not_verify_against_another_authority) {
  EXPECT_NE(verify(make_certificate().chain, make_certificate().authority), X509_V_OK);
}

TEST(Certificate, has_the_key_that_belongs_to_it) {
  const Certificate made = make_certificate();
  EXPECT_EQ(X509_check_private_key(parse(made.chain).get(), parse_key(made.key).get()), 1);
  EXPECT_EQ(EVP_PKEY_get_bits(parse_key(made.key).get()), 256);
}

TEST(Certificate, is_valid_for_loopback_unless_told) {
  const Certificate made = make_certificate();
  EXPECT_TRUE(valid_for_name(made, "localhost"));
  EXPECT_TRUE(valid_for_address(made, "127.0.0.1"));
  EXPECT_TRUE(valid_for_address(made, "::1"));
  EXPECT_FALSE(valid_for_name(made, "example.org"));
}

TEST(Certificate, is_valid_for_the_hosts_it_was_made_for) {
  const Certificate made = make_certificate({.hosts = {"api.example.org", "10.1.2.3"}});
  EXPECT_TRUE(valid_for_name(made, "api.example.org"));
  EXPECT_TRUE(valid_for_address(made, "10.1.2.3"));
  EXPECT_FALSE(valid_for_name(made, "localhost"));
  EXPECT_FALSE(valid_for_address(made, "127.0.0.1"));
}

TEST(Certificate, takes_a_host_for_one_name_whatever_it_holds) {
  const Certificate made = make_certificate({.hosts = {"odd,DNS:example.org"}});
  EXPECT_FALSE(valid_for_name(made, "example.org"));
}

TEST(Certificate, can_have_no_host_at_all) {
  const Certificate made = make_certificate({.hosts = {}});
  EXPECT_FALSE(valid_for_name(made, "localhost"));
}

TEST(Certificate, can_have_expired) {
  const Certificate made = make_certificate({.valid_from = -2h, .valid_for = -1h});
  EXPECT_EQ(verify(made.chain, made.authority), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificate, can_be_not_valid_yet) {
  const Certificate made = make_certificate({.valid_from = 1h});
  EXPECT_EQ(verify(made.chain, made.authority), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST(Certificate, is_another_one_each_time) { EXPECT_NE(make_certificate().chain, make_certificate().chain); }

}  // namespace
