#include "bare_client.hpp"

#include <stdexcept>
#include <utility>

namespace bench {

template <class T>
void BareClient::set(CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

BareClient::BareClient(const std::string& url, const std::string& authority) {
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_POST, 1L);
  set(CURLOPT_WRITEFUNCTION, &BareClient::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (authority.empty()) return;
  curl_blob trusted{.data = const_cast<char*>(authority.data()), .len = authority.size(), .flags = CURL_BLOB_COPY};
  set(CURLOPT_CAINFO_BLOB, &trusted);
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
  set(CURLOPT_POSTFIELDS, body_.c_str());
}

long BareClient::post() {
  response_.clear();
  long status = 0;
  if (curl_easy_perform(easy_.get()) != CURLE_OK) return 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::size_t BareClient::on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
  static_cast<BareClient*>(self)->response_.append(bytes, size * count);
  return size * count;
}

}  // namespace bench
