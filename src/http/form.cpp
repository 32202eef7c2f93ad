#include "http/form.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <memory>
#include <new>

namespace connectid::inline v0::detail {

std::string form_encoded(std::string_view text) {
  if (text.empty()) return {};  // libcurl takes a length of 0 for one that it should find out
  const std::unique_ptr<char, decltype(&curl_free)> encoded(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), &curl_free);
  if (!encoded) throw std::bad_alloc();
  return encoded.get();
}

std::string form(const std::vector<std::pair<std::string_view, std::string_view>>& parameters) {
  std::string body;
  for (const auto& [name, value] : parameters) {
    if (!body.empty()) body += '&';
    body.append(name).append("=").append(form_encoded(value));
  }
  return body;
}

Secret basic_authorization(std::string_view client_id, const Secret& client_secret) {
  const Secret pair(form_encoded(client_id) + ":" + form_encoded(client_secret.reveal()));
  const std::string& text = pair.reveal();
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');  // and the zero that OpenSSL puts behind it
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return "Basic " + encoded;
}

}  // namespace connectid::inline v0::detail
