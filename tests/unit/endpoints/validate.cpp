#include <gtest/gtest.h>

#include <connectid/subscription/start_subscription.hpp>

#include <limits>
#include <string>

#include "support/documented_example.hpp"

namespace {

using connectid::documented_example;
using connectid::StartSubscriptionRequest;
using connectid::Timestamp;
using connectid::validate;
using namespace std::chrono_literals;

std::string repeat(std::string_view text, int times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

TEST(Validate, the_documented_example_is_valid) { EXPECT_TRUE(validate(documented_example).empty()); }

TEST(Validate, the_required_fields_alone_are_valid) {
  EXPECT_TRUE(validate({.product = "P",
                        .start_time = Timestamp{1560336440000ms},
                        .copies = 1,
                        .coupon_code = "C",
                        .coupon_number = 0})
                  .empty());
}

TEST(Validate, an_empty_request_names_every_required_field_in_order) {
  const auto found = validate({});
  std::vector<std::string> fields;
  for (const auto& violation : found) {
    EXPECT_EQ(violation.rule, "required");
    fields.push_back(violation.field);
  }
  EXPECT_EQ(fields, (std::vector<std::string>{"product", "startTime", "copies", "couponCode", "couponNumber"}));
}

struct Case {
  const char* name;
  void (*change)(StartSubscriptionRequest&);
  std::string field, rule, says;  ///< field empty: valid
};

class ValidateField : public testing::TestWithParam<Case> {};

TEST_P(ValidateField, breaks_just_this_rule) {
  StartSubscriptionRequest request = documented_example;
  GetParam().change(request);
  const auto found = validate(request);
  if (GetParam().field.empty()) {
    EXPECT_TRUE(found.empty()) << found.front().message;
    return;
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().field, GetParam().field);
  EXPECT_EQ(found.front().rule, GetParam().rule);
  EXPECT_NE(found.front().message.find(GetParam().says), std::string::npos) << found.front().message;
  EXPECT_EQ(found.front().message.find('\n'), std::string::npos);
}

const Case cases[] = {
    {"company_12", [](auto& r) { r.company_code = std::string(12, 'x'); }, "", "", ""},
    {"company_13", [](auto& r) { r.company_code = std::string(13, 'x'); }, "companyCode", "max_length",
     "12 characters long, and this has 13"},
    {"product_12_letters_of_two_bytes", [](auto& r) { r.product = repeat("å", 12); }, "", "", ""},
    {"product_12_letters_of_four_bytes", [](auto& r) { r.product = repeat("😀", 12); }, "", "", ""},
    {"product_13_letters_of_four_bytes", [](auto& r) { r.product = repeat("😀", 13); }, "product", "max_length",
     "this has 13"},
    {"coupon_12", [](auto& r) { r.coupon_code = std::string(12, 'x'); }, "", "", ""},
    {"coupon_13", [](auto& r) { r.coupon_code = std::string(13, 'x'); }, "couponCode", "max_length", "12"},
    {"coupon_empty", [](auto& r) { r.coupon_code = ""; }, "couponCode", "required", "1 to 12"},
    {"reference_37", [](auto& r) { r.customer_reference = std::string(37, 'x'); }, "", "", ""},
    {"reference_38", [](auto& r) { r.customer_reference = std::string(38, 'x'); }, "customerReference", "max_length",
     "37"},
    {"very_long_text_is_shown_in_part", [](auto& r) { r.product = std::string(100000, 'x'); }, "product", "max_length",
     "..."},
    {"line_break", [](auto& r) { r.product = "a\nb"; }, "product", "encoding", "a\\x0ab"},
    {"zero_byte", [](auto& r) { r.product = std::string("a\0b", 3); }, "product", "encoding", "a\\x00b"},
    {"delete", [](auto& r) { r.coupon_code = "a\x7f"; }, "couponCode", "encoding", "\\x7f"},
    {"c1_control", [](auto& r) { r.company_code = "\xC2\x85"; }, "companyCode", "encoding", "\\xc2\\x85"},
    {"latin1", [](auto& r) { r.product = "\xE5"; }, "product", "encoding", "UTF-8"},
    {"overlong", [](auto& r) { r.product = "\xC0\xAF"; }, "product", "encoding", "UTF-8"},
    {"surrogate", [](auto& r) { r.product = "\xED\xA0\x80"; }, "product", "encoding", "UTF-8"},
    {"above_unicode", [](auto& r) { r.product = "\xF4\x90\x80\x80"; }, "product", "encoding", "UTF-8"},
    {"cut_sequence", [](auto& r) { r.customer_reference = "ab\xE2\x82"; }, "customerReference", "encoding", "UTF-8"},
    {"copies_0", [](auto& r) { r.copies = 0; }, "copies", "range", "1 or more, and this is 0"},
    {"copies_negative", [](auto& r) { r.copies = -5; }, "copies", "range", "-5"},
    {"copies_missing", [](auto& r) { r.copies.reset(); }, "copies", "required", "1 or more"},
    {"coupon_number_0", [](auto& r) { r.coupon_number = 0; }, "", "", ""},
    {"coupon_number_negative", [](auto& r) { r.coupon_number = -1; }, "couponNumber", "range",
     "0 or more, and this is -1"},
    {"start_in_seconds", [](auto& r) { r.start_time = Timestamp{1560336440ms}; }, "startTime", "range", "milliseconds"},
    {"end_in_seconds", [](auto& r) { r.end_time = Timestamp{1591958840ms}; }, "endTime", "range", "1591958840"},
    {"start_at_2000", [](auto& r) { r.start_time = Timestamp{946684800000ms}; }, "", "", ""},
    {"start_before_2000", [](auto& r) { r.start_time = Timestamp{946684799999ms}; }, "startTime", "range",
     "milliseconds"},
    {"end_before_2200", [](auto& r) { r.end_time = Timestamp{7258118399999ms}; }, "", "", ""},
    {"end_at_2200", [](auto& r) { r.end_time = Timestamp{7258118400000ms}; }, "endTime", "range", "milliseconds"},
    {"start_is_the_least_number", [](auto& r) { r.start_time = Timestamp::min(); }, "startTime", "range",
     "-9223372036854775808"},
    {"end_is_the_greatest_number", [](auto& r) { r.end_time = Timestamp::max(); }, "endTime", "range",
     "9223372036854775807"},
    {"end_equals_start", [](auto& r) { r.end_time = r.start_time; }, "endTime", "order",
     "after startTime (2019-06-12 10:47:20Z)"},
    {"end_before_start", [](auto& r) { r.end_time = *r.start_time - 1ms; }, "endTime", "order", "after startTime"},
    {"end_missing", [](auto& r) { r.end_time.reset(); }, "", "", ""},
};
INSTANTIATE_TEST_SUITE_P(Table, ValidateField, testing::ValuesIn(cases),
                         [](const auto& row) { return row.param.name; });

TEST(Validate, all_violations_come_at_once_in_the_order_of_the_fields) {
  const auto found = validate({.company_code = "\xff",
                               .product = std::string(20, 'p'),
                               .start_time = Timestamp{1s},
                               .end_time = Timestamp{2s},
                               .copies = 0,
                               .coupon_code = "a\tb",
                               .coupon_number = -1,
                               .customer_reference = std::string(38, 'r')});
  std::string all;
  for (const auto& violation : found) all += violation.field + ":" + violation.rule + " ";
  EXPECT_EQ(all,
            "companyCode:encoding product:max_length startTime:range endTime:range copies:range couponCode:encoding "
            "couponNumber:range customerReference:max_length ");
}

TEST(Validate, one_text_can_break_two_rules) {
  const auto found = validate({.product = "abcdefghijkl\n",
                               .start_time = Timestamp{1560336440000ms},
                               .copies = 1,
                               .coupon_code = "c",
                               .coupon_number = 1});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].rule, "encoding");
  EXPECT_EQ(found[1].rule, "max_length");
}

}  // namespace
