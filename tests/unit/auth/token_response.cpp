#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>

#include "auth/token_response.hpp"
#include "http/form.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;
using detail::decode_token;

struct Row {
  const char* name;
  std::string body;
  const char* reason = "";  ///< empty: it can be used
  std::chrono::seconds expires_in = 12h;
  const char* refresh_token = "";
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

const Row rows[] = {
    {"all_fields",
     R"({"access_token":"a-1","token_type":"Bearer","expires_in":3600,"refresh_token":"r-1","scope":"read"})", "", 1h,
     "r-1"},
    {"the_token_alone_lives_twelve_hours", R"({"access_token":"a-1"})"},
    {"nulls_are_absent", R"({"access_token":"a-1","expires_in":null,"refresh_token":null,"token_type":null})"},
    {"expires_in_as_text", R"({"access_token":"a-1","expires_in":"43200"})"},
    {"expires_in_with_a_fraction", R"({"access_token":"a-1","expires_in":3599.9})", "", 3599s},
    {"expires_in_of_ages_is_a_year", R"({"access_token":"a-1","expires_in":9e300})", "", 366 * 24h},
    {"expires_in_as_a_large_integer", R"({"access_token":"a-1","expires_in":18446744073709551615})", "", 366 * 24h},
    {"token_type_in_any_case", R"({"access_token":"a-1","token_type":"bEARER"})"},
    {"other_fields_are_ignored", R"({"access_token":"a-1","new":{"field":[1]}})"},
    {"a_refresh_token_of_another_type_is_none", R"({"access_token":"a-1","refresh_token":7})"},

    {"no_token", R"({"expires_in":3600})", "holds no access_token"},
    {"no_token_but_a_refresh_token", R"({"refresh_token":"r-2"})", "holds no access_token", 12h, "r-2"},
    {"an_empty_token", R"({"access_token":""})", "holds no access_token"},
    {"a_token_of_another_type", R"({"access_token":12,"refresh_token":"r-2"})", "holds no access_token", 12h, "r-2"},
    {"a_token_with_a_line_break", R"({"access_token":"a\r\nX: y"})",
     "has an access_token that cannot stand in a header"},
    {"a_token_with_a_space", R"({"access_token":"a b"})", "has an access_token that cannot stand in a header"},
    {"a_token_with_a_null_character", R"({"access_token":"a\u0000b"})",
     "has an access_token that cannot stand in a header"},
    {"another_token_type", R"({"access_token":"a-1","token_type":"mac","refresh_token":"r-2"})",
     "has another token_type than Bearer", 12h, "r-2"},
    {"a_token_type_of_another_type", R"({"access_token":"a-1","token_type":1})", "has another token_type than Bearer"},
    {"negative_expiry", R"({"access_token":"a-1","expires_in":-1,"refresh_token":"r-2"})",
     "has an expires_in that is no number of seconds from 0 on", 12h, "r-2"},
    {"no_time_at_all", R"({"access_token":"a-1","expires_in":0})", "", 0s},
    {"a_part_of_a_second", R"({"access_token":"a-1","expires_in":0.5})", "", 0s},
    {"expiry_in_words", R"({"access_token":"a-1","expires_in":"an hour"})",
     "has an expires_in that is no number of seconds from 0 on"},
    {"expiry_with_a_unit", R"({"access_token":"a-1","expires_in":"3600s"})",
     "has an expires_in that is no number of seconds from 0 on"},
    {"expiry_that_is_no_number", R"({"access_token":"a-1","expires_in":"nan"})",
     "has an expires_in that is no number of seconds from 0 on"},
    {"expiry_that_is_infinite", R"({"access_token":"a-1","expires_in":"inf"})",
     "has an expires_in that is no number of seconds from 0 on"},
    {"expiry_of_another_type", R"({"access_token":"a-1","expires_in":[3600]})",
     "has an expires_in that is no number of seconds from 0 on"},
    {"an_error_in_a_200", R"({"error":"invalid_grant","access_token":"a-1"})", "holds error"},
    {"a_list", R"([{"access_token":"a-1"}])", "is JSON but not an object"},
    {"html", "<html>log in</html>", "is not JSON"},
    {"a_form", "access_token=a-1&expires_in=3600", "is not JSON"},
    {"cut", R"({"access_token":"a-1","refresh_tok)", "is not JSON"},
    {"more_behind_a_null_character", std::string(R"({"access_token":"a-1"})") + '\0' + "x", "is not JSON"},
    {"nothing", "", "is not JSON"},
};

class TokenResponseTable : public testing::TestWithParam<Row> {};

TEST_P(TokenResponseTable, says_what_can_be_used) {
  const Row& row = GetParam();
  const detail::TokenResponse response = decode_token(row.body);
  EXPECT_EQ(response.reading.reason, row.reason);
  EXPECT_EQ(response.reading.enough, *row.reason == '\0');
  EXPECT_EQ(response.refresh_token.reveal(), row.refresh_token);
  if (*row.reason != '\0') return;
  EXPECT_EQ(response.access_token.reveal(), "a-1");
  EXPECT_EQ(response.expires_in, row.expires_in);
}
INSTANTIATE_TEST_SUITE_P(Table, TokenResponseTable, testing::ValuesIn(rows),
                         [](const auto& row) { return row.param.name; });

TEST(Form, encodes_all_but_what_may_stand_in_a_url) {
  EXPECT_EQ(detail::form_encoded("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(detail::form_encoded("a b+c&d=e%/\r\n"), "a%20b%2Bc%26d%3De%25%2F%0D%0A");
  EXPECT_EQ(detail::form_encoded("å"), "%C3%A5");
  EXPECT_EQ(detail::form_encoded(std::string_view("a\0b", 3)), "a%00b");
  EXPECT_EQ(detail::form_encoded(std::string_view("rest behind it", 0)), "");
  EXPECT_EQ(detail::form({{"grant_type", "refresh_token"}, {"refresh_token", "a&b"}}),
            "grant_type=refresh_token&refresh_token=a%26b");
}

TEST(Form, basic_authorization_encodes_id_and_secret_before_it_joins_them) {
  EXPECT_EQ(detail::basic_authorization("Aladdin", "open").reveal(), "Basic QWxhZGRpbjpvcGVu");
  EXPECT_EQ(detail::basic_authorization("no:colon", "a/b c").reveal(), "Basic bm8lM0Fjb2xvbjphJTJGYiUyMGM=");
  for (std::size_t size = 0; size < 9; ++size) {  // every way in which base64 ends
    const std::string text = detail::basic_authorization("i", std::string(size, 's')).reveal();
    EXPECT_EQ(text.size(), std::string_view("Basic ").size() + (size + 2 + 2) / 3 * 4);
    EXPECT_EQ(text.find('\0'), std::string::npos);
  }
}

}  // namespace
}  // namespace connectid
