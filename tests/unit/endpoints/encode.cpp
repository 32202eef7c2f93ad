#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "endpoints/endpoint.hpp"
#include "support/documented_example.hpp"

namespace {

using connectid::documented_example;
using connectid::StartSubscriptionRequest;
using connectid::Timestamp;
using connectid::to_json;
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

// What nlohmann/json writes of the same fields in the same order.
TEST(Encode, is_byte_for_byte_what_nlohmann_json_writes) {
  std::mt19937_64 random(static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()));
  const std::string alphabet[] = {"a", "Z", "0", " ", "~", "\"", "\\", "/", "<", "\x7F", "å", "€", "😀", "\n", "\x01"};
  const auto text = [&] {
    std::string made;
    for (auto left = random() % 13; left > 0; --left) made += alphabet[random() % std::size(alphabet)];
    return made;
  };
  const auto number = [&]() -> std::optional<std::int64_t> {
    if (random() % 4 == 0) return std::nullopt;
    return static_cast<std::int64_t>(random() >> random() % 64);
  };
  for (int i = 0; i < 20'000; ++i) {
    const auto time = [&] {
      const auto value = number();
      return value ? std::optional(Timestamp{std::chrono::milliseconds{*value}}) : std::nullopt;
    };
    const bool copies_as_text = random() % 2 == 0;
    const StartSubscriptionRequest request{.company_code = text(),
                                           .product = text(),
                                           .start_time = time(),
                                           .end_time = time(),
                                           .copies = number(),
                                           .coupon_code = text(),
                                           .coupon_number = number(),
                                           .customer_reference = text()};
    nlohmann::ordered_json expected = nlohmann::ordered_json::object();
    const auto put = [&](const char* name, const auto& value) { expected[name] = value; };
    if (!request.company_code.empty()) put("companyCode", request.company_code);
    if (!request.product.empty()) put("product", request.product);
    if (request.start_time) put("startTime", request.start_time->time_since_epoch().count());
    if (request.end_time) put("endTime", request.end_time->time_since_epoch().count());
    if (request.copies && copies_as_text) put("copies", std::to_string(*request.copies));
    if (request.copies && !copies_as_text) put("copies", *request.copies);
    if (!request.coupon_code.empty()) put("couponCode", request.coupon_code);
    if (request.coupon_number) put("couponNumber", *request.coupon_number);
    if (!request.customer_reference.empty()) put("customerReference", request.customer_reference);
    ASSERT_EQ(to_json(request, copies_as_text), expected.dump());
  }
}

/// An endpoint of a test's own: a path with a parameter, and a query.
struct Looked {
  std::string customer = {}, name = {};
  std::optional<bool> active = std::nullopt;
};
constexpr connectid::detail::Field looked[] = {
    connectid::detail::field<&Looked::customer>("customer",
                                                {.in = connectid::detail::In::path, .required = true, .longest = 12}),
    connectid::detail::field<&Looked::name>("name", {.in = connectid::detail::In::query}),
    connectid::detail::field<&Looked::active>("active", {.in = connectid::detail::In::query})};
constexpr connectid::detail::Endpoint look_up{.title = "Look up",
                                              .method = "GET",
                                              .path = "/v1/client/{customer}/name",
                                              .confirmation = {.field = "name"},
                                              .request = connectid::detail::Table::of<Looked>(looked),
                                              .response = {}};

TEST(Encode, a_path_and_a_query_are_percent_encoded) {
  const auto target = [](const Looked& request) { return connectid::detail::target(look_up, &request); };
  EXPECT_EQ(target({.customer = "7"}), "/v1/client/7/name");
  EXPECT_EQ(target({.customer = "a/b?c#d%", .name = "x&y=z å", .active = false}),
            "/v1/client/a%2Fb%3Fc%23d%25/name?name=x%26y%3Dz%20%C3%A5&active=false");
  const Looked request{.customer = "7"};
  EXPECT_EQ(connectid::detail::body(look_up, &request), "");
}

TEST(Encode, a_path_cannot_be_climbed) {
  for (const char* dots : {".", ".."}) {
    const Looked request{.customer = dots};
    ASSERT_EQ(connectid::detail::violations(look_up, &request).size(), 1U) << dots;
  }
  const Looked three{.customer = "..."};
  EXPECT_TRUE(connectid::detail::violations(look_up, &three).empty());
}

}  // namespace
