#include <gtest/gtest.h>

#include <connectid/secret.hpp>

#include <string>

#include "base/text.hpp"
#include "call/error_body.hpp"

namespace {

using connectid::detail::decode_refusal;

std::string as_it_is(std::string text) { return text; }

TEST(ServerMessage, api_errors_and_oauth_errors_are_read_from_json) {
  const auto api =
      decode_refusal(R"({"exceptionType":"ValidationException","errorMessage":"no such product"})", as_it_is).message;
  EXPECT_EQ(api.exception_type, "ValidationException");
  EXPECT_EQ(api.error_message, "no such product");
  EXPECT_TRUE(api.body_excerpt.empty());
  const auto oauth = decode_refusal(R"({"error":"invalid_token","error_description":"expired"})", as_it_is).message;
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
  const auto html = decode_refusal("<html>\r\n\x01\xff" + std::string(1000, 'x'), as_it_is).message;
  EXPECT_TRUE(html.body_excerpt.starts_with("<html>\\x0d\\x0a\\x01\\xffxxx"));
  EXPECT_LE(html.body_excerpt.size(), 203U);
  EXPECT_TRUE(html.body_excerpt.ends_with("..."));
  EXPECT_EQ(decode_refusal(R"({"exceptionType":7})", as_it_is).message.body_excerpt, R"({"exceptionType":7})");
}

TEST(ServerMessage, a_token_that_the_server_echoes_is_redacted_wherever_it_stands) {
  const connectid::Secret token("canary/token-0123456789");
  const auto without_token = [&](std::string text) {
    return connectid::detail::redact(std::move(text), token.reveal());
  };
  const std::string escaped = R"({"errorMessage":"bad token canary\/token-0123456789","exceptionType":"x"})";
  EXPECT_EQ(decode_refusal(escaped, without_token).message.error_message, "bad token [redacted]");
  const std::string at_the_edge = std::string(190, 'x') + token.reveal();
  EXPECT_EQ(decode_refusal(at_the_edge, without_token).message.body_excerpt.find("canary"), std::string::npos);
}

}  // namespace
