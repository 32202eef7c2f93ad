#include <gtest/gtest.h>

#include <connectid/result.hpp>

#include <memory>
#include <sstream>
#include <string>

namespace connectid {
namespace {

using Text = Result<std::string>;

Error refused() {
  return {Outcome::rejected, BadRequest{{.exception_type = "E", .error_message = "m", .body_excerpt = ""}},
          "rejected: no"};
}

TEST(ResultOfACall, holds_a_value) {
  Text result = std::string("yes");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(*result, "yes");
  EXPECT_EQ(result->size(), 3U);
  EXPECT_EQ(result.value(), "yes");
  EXPECT_EQ(result.value_or("no"), "yes");
  *result += "!";
  EXPECT_EQ(*std::move(result), "yes!");
}

TEST(ResultOfACall, holds_an_error_and_value_throws_it) {
  const Text result = refused();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::bad_request);
  EXPECT_EQ(result.value_or("no"), "no");
  try {
    static_cast<void>(result.value());
    FAIL() << "value() of an error did not throw";
  } catch (const Exception& thrown) {
    EXPECT_EQ(thrown.error().get_if<BadRequest>()->error_message, "m");
    EXPECT_STREQ(thrown.what(), "rejected: no");
  }
}

TEST(ResultOfACall, a_value_that_can_only_be_moved_can_be_taken_out) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  EXPECT_EQ(*std::move(result).value(), 7);
}

TEST(ResultDeathTest, reading_a_value_that_is_not_there_ends_the_program_with_the_errors_message) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Text result = refused();
  EXPECT_DEATH(static_cast<void>(*result), "bad_request: rejected: no");
  EXPECT_DEATH(static_cast<void>(result->size()), "bad_request: rejected: no");
  const Text value = std::string("yes");
  EXPECT_DEATH(static_cast<void>(value.error()), "holds a value");
}

TEST(ErrorOfACall, is_printable_and_branches_by_kind_and_detail) {
  const Error error = refused();
  std::ostringstream out;
  out << error << ' ' << error.outcome();
  EXPECT_EQ(out.str(), "bad_request: rejected: no rejected");
  EXPECT_FALSE(error.get_if<RateLimited>());
  EXPECT_FALSE(error.retry_after());
  const Error copy = error;
  EXPECT_EQ(&copy.message(), &error.message());
}

TEST(ErrorOfACall, every_kind_has_the_name_of_its_detail) {
  const std::pair<ErrorDetail, const char*> all[] = {{ValidationError{}, "validation_error"},
                                                     {ConfigurationError{}, "configuration_error"},
                                                     {TokenError{}, "token_error"},
                                                     {BadRequest{}, "bad_request"},
                                                     {Unauthorized{}, "unauthorized"},
                                                     {Forbidden{}, "forbidden"},
                                                     {RateLimited{}, "rate_limited"},
                                                     {Rejected{}, "rejected"},
                                                     {ServerError{}, "server_error"},
                                                     {UnexpectedResponse{}, "unexpected_response"},
                                                     {TransportError{}, "transport_error"},
                                                     {DeadlineExceeded{}, "deadline_exceeded"},
                                                     {Cancelled{}, "cancelled"},
                                                     {JournalRefused{}, "journal_refused"},
                                                     {CircuitOpen{}, "circuit_open"}};
  static_assert(std::size(all) == std::variant_size_v<ErrorDetail>);
  for (const auto& [detail, name] : all) EXPECT_EQ(to_string(Error(Outcome::unknown, detail, "").kind()), name);
}

}  // namespace
}  // namespace connectid
