// A clock on the first line (milliseconds since 1970), and a response's header lines: which pause they name.
#include <algorithm>
#include <charconv>

#include "http/headers.hpp"
#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using std::chrono::milliseconds;

milliseconds clock_of(std::string_view line) {
  milliseconds::rep count = 0;
  std::from_chars(line.data(), line.data() + line.size(), count);
  return milliseconds{count};
}

http::Headers headers_of(std::string_view lines) {
  http::Headers headers;
  while (!lines.empty()) {
    const std::string_view line = take_line(lines);
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::size_t value = std::min(line.find_first_not_of(": ", colon), line.size());
    http::Header field{std::string(line.substr(0, colon)), std::string(line.substr(value))};
    if (detail::well_formed(field)) headers.push_back(std::move(field));
  }
  return headers;
}

bool few_digits(const std::string& text) {
  return !text.empty() && text.size() < 8 && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid;
  using namespace connectid::fuzz;
  std::string_view input = text_of(data, size);
  const milliseconds now = clock_of(take_line(input));
  const http::Headers headers = headers_of(input);
  const auto pause = detail::retry_after(headers, Timestamp{now});
  const auto until_reset = detail::rate_limit_reset(headers, Timestamp{now});
  const std::string* named = http::find(headers, "Retry-After");
  const std::string* reset = http::find(headers, "X-RateLimit-Reset");
  for (const auto& time : {pause, until_reset}) {
    require(!time || (*time >= milliseconds{0} && *time <= std::chrono::hours{24 * 366}), "a pause lies within a year");
  }
  const bool used_up = detail::parse_count(http::find(headers, "X-RateLimit-Remaining")) == 0;
  require(!pause || named || reset || used_up, "a pause is named by a header");
  if (named && few_digits(*named)) {
    require(pause == std::chrono::seconds{std::stoi(*named)}, "a number of seconds is just that pause");
  }
  if (!named && reset && few_digits(*reset) && std::stoi(*reset) <= 86400) {
    require(pause == std::chrono::seconds{std::stoi(*reset)}, "seconds to the reset are just that pause");
  }
  return 0;
}
