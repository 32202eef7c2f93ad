#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

namespace bench {

/// What a program without this library would write, and no more: one libcurl easy handle, its options set once, the
/// body and the headers made once, kept alive, used again for each POST.
class BareClient {
 public:
  /// `read_callback`: libcurl asks for the body (READFUNCTION) instead of having it (POSTFIELDS).
  BareClient(const std::string& url, const std::vector<std::string>& headers, std::string body, bool read_callback);
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  /// The answer's status; 0 where none came.
  long post();
  [[nodiscard]] const std::string& answer() const noexcept { return answer_; }

 private:
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;

  struct Free {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, Free> headers_;
  const std::string body_;
  std::size_t sent_ = 0;
  std::string answer_;
  std::unique_ptr<CURL, Free> easy_{curl_easy_init()};  // the last: it points to the others
};

}  // namespace bench
