#include "bare_client.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace bench {

template <class T>
void BareClient::set(CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

BareClient::BareClient(const std::string& url, Body way) : way_(way) {
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_POST, 1L);
  if (way_ == Body::asked_for) {
    set(CURLOPT_READFUNCTION, &BareClient::on_read);
    set(CURLOPT_READDATA, static_cast<void*>(this));
  }
  set(CURLOPT_WRITEFUNCTION, &BareClient::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

void BareClient::prepare(const std::vector<std::string>& headers, std::string body) {
  std::unique_ptr<curl_slist, Free> list;
  for (const std::string& line : headers) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::runtime_error("out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
  }
  headers_ = std::move(list);
  body_ = std::move(body);
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  if (way_ == Body::given) set(CURLOPT_POSTFIELDS, body_.c_str());
}

long BareClient::post() {
  sent_ = 0;
  answer_.clear();
  long status = 0;
  if (curl_easy_perform(easy_.get()) != CURLE_OK) return 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::size_t BareClient::on_read(char* buffer, std::size_t size, std::size_t count, void* self) noexcept {
  auto& client = *static_cast<BareClient*>(self);
  const std::size_t piece = std::min(size * count, client.body_.size() - client.sent_);
  std::memcpy(buffer, client.body_.data() + client.sent_, piece);
  client.sent_ += piece;
  return piece;
}

std::size_t BareClient::on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  static_cast<BareClient*>(self)->answer_.append(bytes, size * count);
  return size * count;
}

}  // namespace bench
