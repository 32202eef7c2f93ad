#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/text.hpp"
#include "call/error_body.hpp"
#include "endpoints/subscription/start_subscription.hpp"
#include "support/documented_example.hpp"

namespace {

using connectid::documented_example;
using connectid::Timestamp;
using connectid::to_json;
using connectid::detail::decode_refusal;
using connectid::detail::decode_start_subscription;
using namespace std::chrono_literals;

TEST(Encode, the_documented_example_has_integer_times_and_copies_as_the_table_says) {
  EXPECT_EQ(to_json(documented_example, false),
            R"({"companyCode":"468979834","product":"CO27409","startTime":1560336440000,"endTime":1591958840000,)"
            R"("copies":1,"couponCode":"WMDigi","couponNumber":5223,"customerReference":"cvxgds"})");
}

TEST(Encode, copies_as_text_gives_the_documented_example_byte_for_byte) {
  EXPECT_EQ(to_json(documented_example, true),
            R"({"companyCode":"468979834","product":"CO27409","startTime":1560336440000,"endTime":1591958840000,)"
            R"("copies":"1","couponCode":"WMDigi","couponNumber":5223,"customerReference":"cvxgds"})");
}

TEST(Encode, what_is_absent_stays_absent) {
  EXPECT_EQ(to_json({}, false), "{}");
  EXPECT_EQ(to_json({.product = "P", .copies = 2}, false), R"({"product":"P","copies":2})");
}

TEST(Encode, numbers_keep_all_their_digits) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(to_json({.start_time = Timestamp::max(), .copies = most, .coupon_number = most}, false),
            R"({"startTime":9223372036854775807,"copies":9223372036854775807,"couponNumber":9223372036854775807})");
  EXPECT_EQ(to_json({.start_time = Timestamp::min()}, false), R"({"startTime":-9223372036854775808})");
}

std::string utf8(char32_t c) {
  std::string text;
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return text += static_cast<char>(c);
  if (c < 0x800) {
    add(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3F));
  } else {
    add(0xF0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3F));
    add(0x80 | (c >> 6 & 0x3F));
  }
  add(0x80 | (c & 0x3F));
  return text;
}

TEST(Encode, every_code_point_comes_back_as_it_was) {
  constexpr char32_t at_once = 0x100;
  for (char32_t first = 0; first <= 0x10FFFF; first += at_once) {
    if (first >= 0xD800 && first <= 0xDFFF) continue;
    std::string text;
    for (char32_t c = first; c < first + at_once; ++c) text.append("a").append(utf8(c)).append("b");
    const std::string body = to_json({.product = text}, false);
    for (const char byte : body)
      ASSERT_GE(static_cast<unsigned char>(byte), 0x20) << "raw control, from U+" << std::hex << +first;
    ASSERT_EQ(nlohmann::json::parse(body).at("product").get<std::string>(), text) << "from U+" << std::hex << +first;
  }
}

TEST(Encode, bytes_that_are_not_utf8_become_the_replacement_character) {
  for (const char* bad : {"\xE5", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "ab\xE2\x82"}) {
    const std::string text = nlohmann::json::parse(to_json({.product = bad}, false)).at("product");
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos);
  }
}

struct BodyCase {
  const char* name;
  std::string body;
  bool whole_json;
  bool accepted;
};
class DecodeStart : public testing::TestWithParam<BodyCase> {};

TEST_P(DecodeStart, reads_the_body_of_a_200) {
  const auto response = decode_start_subscription(GetParam().body);
  EXPECT_EQ(response.reading.whole_json, GetParam().whole_json);
  EXPECT_EQ(response.reading.reason.empty(), GetParam().accepted) << response.reading.reason;
}

const BodyCase bodies[] = {
    {"ok", R"({"status":"OK"})", true, true},
    {"ok_with_space_around", " {\"status\" : \"OK\"}\r\n", true, true},
    {"status_absent", "{}", true, true},
    {"status_null", R"({"status":null})", true, true},
    {"new_fields_are_ignored", R"({"status":"OK","subscriptionId":7,"nested":{"error":1,"status":"X"}})", true, true},
    {"null_counts_as_absent", R"({"status":"OK","exceptionType":null,"errorMessage":null,"error":null,"success":null})",
     true, true},
    {"success_true", R"({"success":true})", true, true},
    {"empty", "", false, true},
    {"another_status", R"({"status":"FAILED"})", true, false},
    {"status_in_lower_case", R"({"status":"ok"})", true, false},
    {"status_is_a_number", R"({"status":1})", true, false},
    {"exception_type", R"({"status":"OK","exceptionType":"X"})", true, false},
    {"error_message", R"({"errorMessage":""})", true, false},
    {"oauth_error", R"({"error":"invalid_token"})", true, false},
    {"success_false", R"({"status":"OK","success":false})", true, false},
    {"success_as_text", R"({"success":"false"})", true, false},
    {"status_twice", R"({"status":"FAILED","status":"OK"})", true, false},
    {"array", "[]", true, false},
    {"text", R"("OK")", true, false},
    {"null", "null", true, false},
    {"html", "<html>", false, false},
    {"half", R"({"status":"OK")", false, false},
    {"more_behind_it", R"({"status":"OK"}x)", false, false},
    {"more_behind_a_null_character", R"({"status":"OK"})" + std::string(1, '\0') + R"({"error":1})", false, false},
    {"not_utf8", "{\"status\":\"OK\",\"x\":\"\xff\"}", false, false},
    {"white_space_alone", " ", false, false},
    {"very_deep", std::string(500000, '['), false, false},
    {"very_deep_and_whole", std::string(200000, '[') + std::string(200000, ']'), true, false},
};
INSTANTIATE_TEST_SUITE_P(Table, DecodeStart, testing::ValuesIn(bodies), [](const auto& row) { return row.param.name; });

TEST(DecodeStartSubscription, gives_the_status_where_there_is_one) {
  EXPECT_EQ(decode_start_subscription(R"({"status":"OK"})").response.status, "OK");
  EXPECT_FALSE(decode_start_subscription("{}").response.status.has_value());
}

std::string as_it_is(std::string text) { return text; }

TEST(ServerMessage, api_errors_and_oauth_errors_are_read_from_json) {
  const auto api =
      decode_refusal(R"({"exceptionType":"ValidationException","errorMessage":"no such product"})", as_it_is).words;
  EXPECT_EQ(api.exception_type, "ValidationException");
  EXPECT_EQ(api.error_message, "no such product");
  EXPECT_TRUE(api.body_excerpt.empty());
  const auto oauth = decode_refusal(R"({"error":"invalid_token","error_description":"expired"})", as_it_is).words;
  EXPECT_EQ(oauth.exception_type, "invalid_token");
  EXPECT_EQ(oauth.error_message, "expired");
}

TEST(ServerMessage, an_oauth_error_is_told_from_the_apis_own) {
  EXPECT_TRUE(decode_refusal(R"({"error":"invalid_token"})", as_it_is).oauth_error);
  for (const char* body :
       {R"({"exceptionType":"X"})", R"({"error":7})", R"({"error":""})", R"(["error"])", "error", ""}) {
    EXPECT_FALSE(decode_refusal(body, as_it_is).oauth_error) << body;
  }
}

TEST(ServerMessage, any_other_body_gives_its_first_bytes_made_printable) {
  const auto html = decode_refusal("<html>\r\n\x01\xff" + std::string(1000, 'x'), as_it_is).words;
  EXPECT_TRUE(html.body_excerpt.starts_with("<html>\\x0d\\x0a\\x01\\xffxxx"));
  EXPECT_LE(html.body_excerpt.size(), 203U);
  EXPECT_TRUE(html.body_excerpt.ends_with("..."));
  EXPECT_EQ(decode_refusal(R"({"exceptionType":7})", as_it_is).words.body_excerpt, R"({"exceptionType":7})");
}

TEST(ServerMessage, a_token_that_the_server_echoes_is_redacted_wherever_it_stands) {
  const connectid::Secret token("canary/token-0123456789");
  const auto without_token = [&](std::string text) {
    return connectid::detail::redact(std::move(text), token.reveal());
  };
  const std::string escaped = R"({"errorMessage":"bad token canary\/token-0123456789","exceptionType":"x"})";
  EXPECT_EQ(decode_refusal(escaped, without_token).words.error_message, "bad token [redacted]");
  const std::string at_the_edge = std::string(190, 'x') + token.reveal();
  EXPECT_EQ(decode_refusal(at_the_edge, without_token).words.body_excerpt.find("canary"), std::string::npos);
}

}  // namespace
