// Any bytes as the file of a token, and as its texts: what is written is read again, and what is cut is no token.
#include "auth/stores/stored_token_json.hpp"

#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using auth::StoredToken;
using detail::read_stored_token;
using detail::ReadToken;

bool equal(const StoredToken& a, const StoredToken& b) {
  return a.access_token == b.access_token && a.obtained_at == b.obtained_at && a.expires_at == b.expires_at &&
         a.refresh_token == b.refresh_token && a.api_url == b.api_url && a.login_url == b.login_url &&
         a.client_id == b.client_id && a.refused == b.refused;
}

bool is_token(const ReadToken& read) { return read.damage.empty() && !read.newer_format; }

void check_written(const std::string& account, const StoredToken& token) {
  const Secret json = detail::stored_token_json(account, token);
  const std::string_view text = json.reveal();
  const ReadToken again = read_stored_token(text);
  require(is_token(again) && again.account == account && equal(again.token, token), "what is written is read again");
  require(text.find('\n') == text.size() - 1, "it is one line");
  for (std::size_t size = 0; size + 2 < text.size(); size += 1 + text.size() / 16) {
    require(!is_token(read_stored_token(text.substr(0, size))), "what is cut is no token");
  }
}

void check_read(std::string_view text) {
  const ReadToken read = read_stored_token(text);
  require(is_printable(read.damage), "what is wrong can be shown");
  if (is_token(read)) {
    require(detail::can_be_kept(read.account, read.token).has_value(), "what is read can be written");
    check_written(read.account, read.token);
  } else {
    require(read.account.empty() && equal(read.token, {}), "what is no token gives none");
  }
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  std::string_view input = text_of(data, size);
  check_read(input);
  const bool utf8 = is_utf8(std::string(input));
  const std::string account(take_line(input));
  StoredToken token;
  token.refresh_token = take_line(input);
  token.api_url = take_line(input);
  token.client_id = take_line(input);
  token.refused = take_line(input);
  token.access_token = std::string(1, 't').append(input);  // the rest, with its line feeds
  if (utf8) require(connectid::detail::can_be_kept(account, token).has_value(), "what is UTF-8 can be written");
  if (connectid::detail::can_be_kept(account, token).has_value()) check_written(account, token);
  return 0;
}
