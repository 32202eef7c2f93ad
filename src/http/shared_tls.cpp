#include "http/shared_tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <utility>

#include "base/uninterrupted.hpp"
#include "http/libcurl.hpp"

namespace connectid::inline v0::detail {
namespace {

bool add_from_text(X509_STORE* store, const std::string& pem) {
  if (pem.size() > INT_MAX) return false;
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                       &BIO_free);
  bool added = false;
  while (text) {
    const std::unique_ptr<X509, decltype(&X509_free)> one(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr),
                                                          &X509_free);
    if (!one) break;
    added = X509_STORE_add_cert(store, one.get()) == 1 || added;
  }
  return added;
}

bool add_from_files(X509_STORE* store, const std::string& file, const std::string& directory) {
  const auto name = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  return X509_STORE_load_locations(store, name(file), name(directory)) == 1;
}

// OpenSSL reads a certificate's extensions at its first use. Done here, threads that verify side by side only read.
void read_extensions(X509_STORE* store) {
  const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    if (X509* one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i))) X509_check_purpose(one, -1, 0);
  }
}

void lock(CURL*, curl_lock_data data, curl_lock_access, void* locks) { static_cast<std::mutex*>(locks)[data].lock(); }
void unlock(CURL*, curl_lock_data data, void* locks) { static_cast<std::mutex*>(locks)[data].unlock(); }

}  // namespace

void SharedTls::FreeStore::operator()(x509_store_st* store) const noexcept { X509_STORE_free(store); }

SharedTls::SharedTls(const http::CurlOptions& options) : options_(options), sessions_(curl_share_init()) {
  CURLSH* share = sessions_.get();
  const bool shares = share && curl_share_setopt(share, CURLSHOPT_LOCKFUNC, &lock) == CURLSHE_OK &&
                      curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, &unlock) == CURLSHE_OK &&
                      curl_share_setopt(share, CURLSHOPT_USERDATA, locks_.data()) == CURLSHE_OK &&
                      curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
  if (!shares) sessions_.reset();
}

SharedTls::~SharedTls() = default;

x509_store_st* SharedTls::authorities() {
  std::call_once(read_once_, [this] { authorities_ = read_authorities(options_); });
  return authorities_.get();
}

std::string SharedTls::authorities_file() {
  std::call_once(written_once_, [this] {
    Fd file(::memfd_create("connectid-authorities", MFD_CLOEXEC));  // in no directory, and gone with us
    const std::string& pem = options_.ca_pem;
    const auto written = uninterrupted([&] { return ::write(file.get(), pem.data(), pem.size()); });
    if (written == static_cast<ssize_t>(pem.size())) authorities_file_ = std::move(file);
  });
  return authorities_file_ ? "/proc/self/fd/" + std::to_string(authorities_file_.get()) : std::string();
}

SharedTls::Store SharedTls::read_authorities(const http::CurlOptions& options) {
  if (!libcurl().has_our_openssl) return nullptr;
  Store store(X509_STORE_new());
  if (!store) return nullptr;
  bool read = false;
  if (!options.ca_pem.empty()) {
    read = add_from_text(store.get(), options.ca_pem);
  } else if (!options.ca_file.empty()) {
    read = add_from_files(store.get(), options.ca_file, {});
  } else {
    read = add_from_files(store.get(), libcurl().authorities_file, libcurl().authorities_path);
  }
  read_extensions(store.get());
  // As libcurl does for a store of its own: an intermediate that is trusted ends a chain.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();  // what a reader leaves there would be taken for the next caller's error
  return read ? std::move(store) : nullptr;
}

}  // namespace connectid::inline v0::detail
