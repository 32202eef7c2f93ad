#include <gtest/gtest.h>

#include <connectid/result.hpp>

#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

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

TEST(ResultOfACall, gives_its_value_as_what_it_is_itself) {
  Text result = std::string("a");
  const Text constant = std::string("c");
  static_assert(std::is_same_v<Text::error_type, Error>);
  static_assert(std::is_same_v<decltype(result.value()), std::string&>);
  static_assert(std::is_same_v<decltype(constant.value()), const std::string&>);
  static_assert(std::is_same_v<decltype(std::move(result).value()), std::string&&>);
  static_assert(std::is_same_v<decltype(std::move(constant).value()), const std::string&&>);
  static_assert(std::is_same_v<decltype(*std::move(constant)), const std::string&&>);
  result.value() += "b";
  EXPECT_EQ(result.value(), "ab");
  EXPECT_EQ(constant.value(), "c");
  Text refusal = refused();
  EXPECT_THROW(static_cast<void>(refusal.value()), Exception);
  EXPECT_THROW(static_cast<void>(std::move(refusal).value()), Exception);
}

TEST(ResultOfACall, moves_its_value_out_of_value_or) {
  using Number = std::unique_ptr<int>;
  EXPECT_EQ(*Result<Number>(std::make_unique<int>(7)).value_or(std::make_unique<int>(8)), 7);
  EXPECT_EQ(*Result<Number>(refused()).value_or(std::make_unique<int>(8)), 8);
}

TEST(ResultOfACall, goes_on_with_the_value_and_passes_the_error_on) {
  const auto length = [](const std::string& text) -> Result<std::size_t> {
    if (text.empty()) return refused();
    return text.size();
  };
  const Text yes = std::string("yes"), empty = std::string(), no = refused();
  EXPECT_EQ(yes.and_then(length).value(), 3U);
  EXPECT_EQ(empty.and_then(length).error().message(), "rejected: no");
  EXPECT_EQ(no.and_then([](const std::string&) -> Result<void> {
                ADD_FAILURE() << "called without a value";
                return {};
              })
                .error()
                .message(),
            "rejected: no");

  EXPECT_EQ(yes.transform(&std::string::size).value(), 3U);
  EXPECT_EQ(no.transform(&std::string::size).error().kind(), ErrorKind::bad_request);
  std::string seen;
  const Result<void> done = yes.transform([&](const std::string& text) { seen = text; });
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, "yes");
  EXPECT_FALSE(no.transform([&](const std::string&) { seen = "called"; }));
  EXPECT_EQ(seen, "yes");

  EXPECT_EQ(no.or_else([](const Error& error) -> Text { return error.message(); }).value(), "rejected: no");
  EXPECT_EQ(yes.or_else([](const Error&) -> Text { return refused(); }).value(), "yes");
  EXPECT_FALSE(no.or_else([](const Error& error) -> Text { return error; }));
}

TEST(ResultOfACall, hands_on_its_value_as_what_it_is_itself) {
  Result<std::unique_ptr<int>> number = std::make_unique<int>(7);
  const auto same = [](std::unique_ptr<int> taken) -> Result<std::unique_ptr<int>> { return taken; };
  number = std::move(number).and_then(same).or_else([&](const Error&) { return same(nullptr); });
  EXPECT_EQ(*std::move(number).transform([](std::unique_ptr<int> taken) { return *taken + 1; }), 8);

  Text text = std::string("a");
  EXPECT_TRUE(text.transform([](std::string& own) { own += "b"; }));
  EXPECT_TRUE(text.and_then([](std::string& own) { return Text(own += "c"); }));
  EXPECT_EQ(*text, "abc");
  const Text constant = std::string("d");
  EXPECT_EQ(std::move(constant).and_then([](const std::string&& own) { return Text(own); }).value(), "d");
  EXPECT_EQ(std::move(constant).transform([](const std::string&& own) { return own.size(); }).value(), 1U);
}

TEST(ResultOfNothing, goes_on_and_passes_the_error_on) {
  const Result<void> done, no = refused();
  static_assert(std::is_same_v<Result<void>::error_type, Error>);
  *done;
  EXPECT_EQ(done.and_then([] { return Text("next"); }).value(), "next");
  EXPECT_EQ(no.and_then([] { return Text("next"); }).error().message(), "rejected: no");
  EXPECT_EQ(done.transform([] { return 7; }).value(), 7);
  EXPECT_FALSE(no.transform([] { return 7; }));
  int calls = 0;
  EXPECT_TRUE(done.transform([&] { ++calls; }));
  EXPECT_FALSE(no.transform([&] { ++calls; }));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(no.or_else([](const Error&) { return Result<void>(); }));
  EXPECT_TRUE(done.or_else([](const Error& error) { return Result<void>(error); }));
}

TEST(ResultDeathTest, reading_a_value_that_is_not_there_ends_the_program_with_the_errors_message) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const Text result = refused();
  EXPECT_DEATH(static_cast<void>(*result), "bad_request: rejected: no");
  EXPECT_DEATH(static_cast<void>(result->size()), "bad_request: rejected: no");
  const Text value = std::string("yes");
  EXPECT_DEATH(static_cast<void>(value.error()), "holds a value");
  const Result<void> nothing = refused();
  EXPECT_DEATH(*nothing, "bad_request: rejected: no");
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

TEST(ErrorOfACall, every_kind_has_the_name_of_its_detail_and_is_found_by_it) {
  // And whether it carries what the server said.
  const std::tuple<ErrorDetail, const char*, bool> all[] = {{ValidationError{}, "validation_error", false},
                                                            {ConfigurationError{}, "configuration_error", false},
                                                            {TokenError{}, "token_error", false},
                                                            {BadRequest{{"said"}}, "bad_request", true},
                                                            {Unauthorized{{"said"}}, "unauthorized", true},
                                                            {Forbidden{{"said"}}, "forbidden", true},
                                                            {RateLimited{{"said"}}, "rate_limited", true},
                                                            {Rejected{{"said"}}, "rejected", true},
                                                            {ServerError{{"said"}}, "server_error", true},
                                                            {UnexpectedResponse{{"said"}}, "unexpected_response", true},
                                                            {TransportError{}, "transport_error", false},
                                                            {DeadlineExceeded{}, "deadline_exceeded", false},
                                                            {Cancelled{}, "cancelled", false},
                                                            {JournalRefused{}, "journal_refused", false},
                                                            {CircuitOpen{}, "circuit_open", false}};
  static_assert(std::size(all) == std::variant_size_v<ErrorDetail>);
  for (const auto& [detail, name, has_words] : all) {
    const Error error(Outcome::unknown, detail, "");
    EXPECT_EQ(to_string(error.kind()), name);
    EXPECT_EQ(from_string<ErrorKind>(name), error.kind());
    ASSERT_EQ(error.server_message() != nullptr, has_words) << name;
    EXPECT_TRUE(!has_words || error.server_message()->exception_type == "said") << name;
  }
}

TEST(OutcomeOfACall, every_one_is_found_by_its_name_and_nothing_else_is) {
  for (const Outcome outcome : {Outcome::succeeded, Outcome::not_sent, Outcome::rejected, Outcome::unknown}) {
    EXPECT_EQ(from_string<Outcome>(to_string(outcome)), outcome);
  }
  EXPECT_EQ(to_string(Outcome::succeeded), "succeeded");
  EXPECT_EQ(to_string(Outcome::not_sent), "not_sent");
  EXPECT_EQ(to_string(Outcome::rejected), "rejected");
  EXPECT_EQ(to_string(Outcome::unknown), "unknown");
  for (const char* none : {"", "?", "Unknown", "unknown ", "unknow", "circuit_open"}) {
    EXPECT_EQ(from_string<Outcome>(none), std::nullopt) << none;
  }
  for (const char* none : {"", "?", "unknown", "circuit_open "}) {
    EXPECT_EQ(from_string<ErrorKind>(none), std::nullopt) << none;
  }
  EXPECT_EQ(to_string(static_cast<Outcome>(4)), "?");
  EXPECT_EQ(to_string(static_cast<ErrorKind>(99)), "?");
}

}  // namespace
}  // namespace connectid
