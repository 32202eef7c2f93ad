#include <gtest/gtest.h>

#include <connectid/subscription/start_subscription.hpp>

#include <string>

#include "endpoints/endpoint.hpp"

namespace connectid::detail {
namespace {

const Endpoint& start = endpoint_of(StartSubscriptionRequest{});

struct BodyCase {
  const char* name;
  std::string body;
  bool whole_json;
  bool accepted;
};
class DecodeStart : public testing::TestWithParam<BodyCase> {};

TEST_P(DecodeStart, reads_the_body_of_a_200) {
  const Reading reading = decode(start, GetParam().body);
  EXPECT_EQ(reading.whole_json, GetParam().whole_json);
  EXPECT_EQ(reading.reason.empty(), GetParam().accepted) << reading.reason;
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
    {"success_true_among_others", R"({"id":7,"success":true})", true, true},
    // None of these says that anything was started.
    {"an_error_code", R"({"errorCode":17,"message":"no"})", true, false},
    {"a_list_of_errors", R"({"errors":[{"code":1}]})", true, false},
    {"status_in_upper_case", R"({"Status":"FAILED"})", true, false},
    {"a_result", R"({"result":"ERROR"})", true, false},
    {"a_subscription", R"({"subscription":{"status":"OK"}})", true, false},
    {"success_null_alone", R"({"success":null})", true, false},
    {"status_in_an_object", R"({"status":{"status":"OK"}})", true, false},
    {"status_in_a_list", R"({"status":["OK"]})", true, false},
    {"an_error_in_an_object", R"({"status":"OK","error":{}})", true, false},
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
  const auto status = [](const char* body) {
    return std::any_cast<StartSubscriptionResponse>(decode(start, body).value).status;
  };
  EXPECT_EQ(status(R"({"status":"OK"})"), "OK");
  EXPECT_FALSE(status("{}").has_value());
}

}  // namespace
}  // namespace connectid::detail
