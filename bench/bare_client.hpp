#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

namespace bench {

/// One libcurl easy handle, kept alive and used again for each POST (POSTFIELDS), with the few options that this takes.
class BareClient {
 public:
  /// `authority`: PEM, the one that is trusted; empty: plain HTTP.
  BareClient(const std::string& url, const std::string& authority);
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  /// What each POST from now on sends. Throws std::runtime_error where libcurl has no memory for it.
  void prepare(const std::vector<std::string>& headers, std::string body);
  /// The response's status; 0 where none came.
  long post();
  [[nodiscard]] const std::string& response() const noexcept { return response_; }

 private:
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  template <class T>
  void set(CURLoption option, T value);

  struct Free {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, Free> headers_;
  std::string body_;
  std::string response_;
  std::unique_ptr<CURL, Free> easy_{curl_easy_init()};  // the last: it points to the others
};

}  // namespace bench
