// Any bytes as a token endpoint's response: which tokens are taken from it, and for how long.
#include <chrono>

#include "auth/token_response.hpp"
#include "http/headers.hpp"
#include "support/fuzzing.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid;
  using namespace connectid::fuzz;
  const std::string_view body = text_of(data, size);
  const detail::TokenResponse response = detail::decode_token(body);
  require(response.reading.enough == (response.reading.reason.empty() && response.reading.whole_json),
          "what nothing is objected to is enough");
  require(response.expires_in >= std::chrono::seconds{0}, "no token has less than no time");
  require(response.expires_in <= std::chrono::hours{24 * 366}, "a token's life lies within a year");
  if (!response.reading.enough) return 0;
  require(detail::visible_ascii(response.access_token.reveal()), "a token that is taken can stand in a header");
  const auto parsed = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  require(parsed.is_object() && parsed.at("access_token") == response.access_token.reveal(),
          "it is the response's own");
  // What is cut before its last brace holds no token: else half a token might be taken for a whole one.
  const std::size_t brace = body.find_last_of('}');
  for (std::size_t end = brace; end > 0; end /= 2) {
    require(!detail::decode_token(body.substr(0, end)).reading.enough, "what was cut is not enough");
  }
  return 0;
}
