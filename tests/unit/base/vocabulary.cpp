// The small pieces that everything is said with: text, times, headers, URLs, secrets, call ids.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <connectid/secret.hpp>
#include <connectid/stage.hpp>

#include <cstdio>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include "base/text.hpp"
#include "base/time.hpp"
#include "call/call_id.hpp"
#include "http/headers.hpp"
#include "http/url.hpp"

namespace connectid {
namespace {

using namespace std::chrono_literals;

TEST(Printable, keeps_text_and_shows_all_else_as_bytes) {
  EXPECT_EQ(detail::printable("Blåbær 😀", 100), "Blåbær 😀");
  EXPECT_EQ(detail::printable("a\r\n\x1b[31m\xff", 100), "a\\x0d\\x0a\\x1b[31m\\xff");
  EXPECT_EQ(detail::printable("ååå", 4), "åå...");
  EXPECT_EQ(detail::printable("ååå", 3), "å...");
}

TEST(Redact, replaces_every_occurrence_and_leaves_short_placeholders) {
  EXPECT_EQ(detail::redact("xsecret-valuexsecret-value", "secret-value"), "x[redacted]x[redacted]");
  EXPECT_EQ(detail::redact("that", "t"), "that");
  EXPECT_EQ(detail::redact("that s3c", "s3c", 1), "that [redacted]");
  for (const std::size_t shortest : {0U, 1U, 8U}) EXPECT_EQ(detail::redact("nothing", "", shortest), "nothing");
}

TEST(Utc, prints_the_whole_range_of_a_timestamp) {
  EXPECT_EQ(detail::utc(Timestamp{1775012407123ms}), "2026-04-01 03:00:07Z");
  EXPECT_EQ(detail::utc(Timestamp{-1ms}), "1969-12-31 23:59:59Z");
  EXPECT_FALSE(detail::utc(Timestamp::max()).empty());
  EXPECT_FALSE(detail::utc(Timestamp::min()).empty());
}

TEST(HttpDate, is_read_in_each_of_its_forms_and_nothing_else_is) {
  const auto seconds = [](const char* text) {
    const auto time = detail::parse_http_date(text);
    return time ? time->time_since_epoch() / 1s : -1;
  };
  EXPECT_EQ(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(seconds("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(seconds("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(seconds("Thu, 29 Feb 2024 23:59:59 GMT"), 1709251199);
  EXPECT_EQ(seconds("Fri, 31 Dec 2100 12:00:00 GMT"), 4133937600);
  EXPECT_EQ(seconds("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799);
  EXPECT_EQ(seconds("Sat, 01 Jan 10000 00:00:00 GMT"), -1);
  EXPECT_EQ(seconds("01 Apr 999999999 00:00:00 GMT"), -1);
  EXPECT_EQ(seconds("Mon, 06 Nov 1994 08:49:37 GMT"), 784111777) << "it was a Sunday; nobody minds";
  EXPECT_EQ(seconds("Sun, 06 Nov 1994 08:49:37 CET"), 784108177);
  EXPECT_EQ(seconds("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800) << "a leap second";
  for (const char* none :
       {"", "soon", "Xyz, 06 Nov 1994 08:49:37 GMT", "unM, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Abc 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 0x Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:61:37 GMT",
        "Sat, 01 Jan 1966 00:00:00 GMT"}) {
    EXPECT_EQ(seconds(none), -1) << none;
  }
}

TEST(HttpDate, is_read_on_every_day_of_a_century_and_a_half) {
  constexpr const char* weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::chrono::sys_days day{1970y / 1 / 1}; day < std::chrono::sys_days{2120y / 1 / 1}; ++day) {
    const std::chrono::year_month_day date(day);
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02u %s %04d 23:59:58 GMT", weekdays[std::chrono::weekday(day).c_encoding()],
                  static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()));
    ASSERT_EQ(detail::parse_http_date(text), day + 23h + 59min + 58s) << text;
  }
}

TEST(SecretText, prints_as_redacted_and_leaves_what_it_was_moved_from_empty) {
  Secret secret("canary");
  std::ostringstream out;
  out << secret << ' ' << Secret();
  EXPECT_EQ(out.str(), "[redacted] [empty]");
  const Secret moved = std::move(secret);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): that it is empty is what is promised
  EXPECT_EQ(moved.reveal(), "canary");
  secret = moved;
  EXPECT_EQ(secret, moved);
}

TEST(SecretText, assignment_overwrites_the_old_text_in_memory) {
  Secret secret(std::string("canary-canary-canary-canary-canary"));
  const char* memory = secret.reveal().data();
  const std::string before(memory, 6);
  secret = Secret("x");
  EXPECT_EQ(before, "canary");
  EXPECT_EQ(secret.reveal(), "x");
  if (secret.reveal().data() == memory) EXPECT_STRNE(memory + 2, "nary-canary-canary-canary-canary");
}

TEST(Stage, has_its_enumerators_name) {
  constexpr std::pair<Stage, const char*> stages[] = {
      {Stage::prepare, "prepare"}, {Stage::token, "token"},     {Stage::pause, "pause"},
      {Stage::resolve, "resolve"}, {Stage::connect, "connect"}, {Stage::handshake, "handshake"},
      {Stage::send, "send"},       {Stage::wait, "wait"},       {Stage::receive, "receive"},
  };
  ASSERT_EQ(std::size(stages), static_cast<std::size_t>(Stage::receive) + 1);
  for (const auto& [stage, name] : stages) EXPECT_EQ(to_string(stage), name);
}

TEST(Cause, has_its_enumerators_name) {
  constexpr std::pair<Cause, const char*> causes[] = {
      {Cause::timed_out, "timed_out"},
      {Cause::cancelled, "cancelled"},
      {Cause::unresolved, "unresolved"},
      {Cause::unreachable, "unreachable"},
      {Cause::certificate, "certificate"},
      {Cause::tls, "tls"},
      {Cause::proxy_refused, "proxy_refused"},
      {Cause::proxy_denied, "proxy_denied"},
      {Cause::closed, "closed"},
      {Cause::reset, "reset"},
      {Cause::stray_response, "stray_response"},
      {Cause::malformed, "malformed"},
      {Cause::too_large, "too_large"},
      {Cause::configuration, "configuration"},
      {Cause::other, "other"},
  };
  ASSERT_EQ(std::size(causes), static_cast<std::size_t>(Cause::other) + 1);
  for (const auto& [cause, name] : causes) EXPECT_EQ(to_string(cause), name);
}

TEST(CallId, is_a_uuid_of_version_7_that_begins_with_the_time) {
  const std::string id = detail::make_call_id(Timestamp{0x0123456789ABms});
  EXPECT_THAT(id, ::testing::MatchesRegex("01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(CallId, ten_thousand_in_one_millisecond_are_all_different) {
  std::set<std::string> ids;
  for (int i = 0; i < 10000; ++i) ids.insert(detail::make_call_id(Timestamp{1ms}));
  EXPECT_EQ(ids.size(), 10000U);
}

TEST(Headers, are_found_without_case_and_the_first_counts) {
  const http::Headers headers{{"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(*http::find(headers, "x-A"), "1");
  EXPECT_EQ(http::find(headers, "X-B"), nullptr);
}

TEST(Headers, those_that_a_call_looks_at_are_known_without_case_and_the_first_counts) {
  const http::Headers headers{{"Content-Type", "as long as X-Request-Id"},
                              {"DATE", "1"},
                              {"retry-after", "2"},
                              {"X-Request-ID", "3"},
                              {"x-request-id", "4"},
                              {"x-ratelimit-RESET", "5"},
                              {"X-RateLimit-Remaining", "6"},
                              {std::string(300, 'x'), "7"},
                              {"", "8"}};
  const detail::KnownHeaders known(headers);
  EXPECT_EQ(*known.date, "1");
  EXPECT_EQ(*known.retry_after, "2");
  EXPECT_EQ(*known.request_id, "3");
  EXPECT_EQ(*known.rate_limit_reset, "5");
  EXPECT_EQ(*known.rate_limit_remaining, "6");
  EXPECT_EQ(detail::KnownHeaders({}).date, nullptr);
}

TEST(Headers, a_name_is_a_token_and_a_value_has_no_control_characters) {
  const std::string token_signs = "!#$%&'*+-.^_`|~";  // RFC 9110 section 5.6.2, with letters and digits
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool sign = token_signs.find(c) != std::string::npos;
    EXPECT_EQ(detail::is_token(std::string("a") + c), letter_or_digit || sign) << i;
    EXPECT_EQ(detail::is_field_value(std::string("a") + c), (i >= 32 && i != 127) || c == '\t') << i;
  }
  EXPECT_FALSE(detail::is_token(""));
  EXPECT_TRUE(detail::is_field_value(""));
}

TEST(Headers, what_could_begin_a_line_of_its_own_is_not_well_formed) {
  EXPECT_TRUE(detail::well_formed({"X-A", "text, with\ttab and å"}));
  EXPECT_TRUE(detail::well_formed({"X-A", ""}));
  for (const http::Header& bad : http::Headers{{"", "x"},
                                               {"X A", "x"},
                                               {"X:A", "x"},
                                               {"X\r\n", "x"},
                                               {"X-å", "x"},
                                               {"X-A", "a\r\nEvil: 1"},
                                               {"X-A", "a\n"},
                                               {"X-A", std::string("\0", 1)}}) {
    EXPECT_FALSE(detail::well_formed(bad)) << bad.name;
  }
}

TEST(SecretText, is_overwritten_where_it_was_moved_from) {
  Secret secret("canary");  // short: it stands in the object itself
  const char* memory = secret.reveal().data();
  ASSERT_EQ(std::string(memory, 6), "canary");
  Secret other("something longer than what it gets");
  other = std::move(secret);
  EXPECT_EQ(other.reveal(), "canary");
  EXPECT_EQ(secret.reveal().data(), memory);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(std::string(memory, 6), std::string(6, '\0'));
}

struct PauseCase {
  const char* name;
  http::Headers headers;
  std::optional<std::chrono::milliseconds> pause;
};
class RetryAfter : public testing::TestWithParam<PauseCase> {};
TEST_P(RetryAfter, is_the_pause_that_the_response_names) {
  EXPECT_EQ(detail::retry_after(GetParam().headers, Timestamp{1775012400000ms}),
            GetParam().pause);  // 2026-04-01 03:00:00Z
}
const PauseCase pauses[] = {
    {"none", {}, std::nullopt},
    {"seconds", {{"Retry-After", "120"}}, 120s},
    {"zero", {{"Retry-After", "0"}}, 0s},
    {"date_against_our_clock", {{"Retry-After", "Wed, 01 Apr 2026 03:00:30 GMT"}}, 30s},
    {"date_against_the_servers_date",
     {{"Retry-After", "Wed, 01 Apr 2026 05:00:30 GMT"}, {"Date", "Wed, 01 Apr 2026 05:00:00 GMT"}},
     30s},
    {"date_that_is_over", {{"Retry-After", "Wed, 01 Apr 2026 02:59:00 GMT"}}, 0s},
    {"obsolete_date_form", {{"Retry-After", "Wednesday, 01-Apr-26 03:00:30 GMT"}}, 30s},
    {"negative", {{"Retry-After", "-5"}}, std::nullopt},
    {"nothing_left_until_the_longest_window_is_over", {{"X-RateLimit-Remaining", "0"}}, 60s},
    {"nothing_left_and_a_reset", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "3"}}, 3s},
    {"something_left", {{"X-RateLimit-Remaining", "1"}}, std::nullopt},
    {"words", {{"Retry-After", "soon"}}, std::nullopt},
    {"overflowing", {{"Retry-After", "99999999999999999999"}}, std::nullopt},
    {"absurd", {{"Retry-After", "9223372036854775807"}}, std::nullopt},
    {"reset_as_delta", {{"X-RateLimit-Reset", "42"}}, 42s},
    {"reset_as_time", {{"X-RateLimit-Reset", "1775012410"}}, 10s},
    {"reset_in_the_past", {{"X-RateLimit-Reset", "1775012390"}}, 0s},
    {"reset_absurd", {{"X-RateLimit-Reset", "9223372036854775807"}}, std::nullopt},
    {"retry_after_goes_first", {{"X-RateLimit-Reset", "42"}, {"Retry-After", "1"}}, 1s},
    {"reset_where_retry_after_is_no_pause", {{"X-RateLimit-Reset", "42"}, {"Retry-After", "?"}}, 42s},
};
INSTANTIATE_TEST_SUITE_P(Table, RetryAfter, testing::ValuesIn(pauses), [](const auto& row) { return row.param.name; });

struct UrlCase {
  const char* name;
  const char* text;
  const char* normal;  ///< empty: refused
};
class UrlTest : public testing::TestWithParam<UrlCase> {};
TEST_P(UrlTest, is_normalised_or_refused) {
  const detail::Url url = detail::parse_url(GetParam().text);
  EXPECT_EQ(url.text, GetParam().normal);
  EXPECT_EQ(url.error.empty(), GetParam().normal[0] != '\0') << url.error;
  EXPECT_EQ(url.error.find("hunter2"), std::string::npos);
}
const UrlCase urls[] = {
    {"https", "https://api.mediaconnect.no/capi", "https://api.mediaconnect.no/capi"},
    {"slash_at_the_end", "https://api.mediaconnect.no/capi/", "https://api.mediaconnect.no/capi"},
    {"no_path", "https://api.mediaconnect.no", "https://api.mediaconnect.no"},
    {"port", "https://h:8443/x", "https://h:8443/x"},
    {"upper_case_scheme", "HTTPS://h/x", "https://h/x"},
    {"plain_to_localhost", "http://localhost:1", "http://localhost:1"},
    {"plain_to_127_0_0_1", "http://127.0.0.1:1/capi", "http://127.0.0.1:1/capi"},
    {"plain_to_127_8_9_10", "http://127.8.9.10:1", "http://127.8.9.10:1"},
    {"plain_to_ipv6_loopback", "http://[::1]:1", "http://[::1]:1"},
    {"plain_to_another_host", "http://api.mediaconnect.no/capi", ""},
    {"plain_to_a_lookalike", "http://localhost.example", ""},
    {"plain_to_a_lookalike_number", "http://127.0.0.1.example", ""},
    {"plain_to_another_address", "http://10.0.0.1", ""},
    {"plain_to_another_ipv6", "http://[2001:db8::1]", ""},
    {"user", "https://user@h/x", ""},
    {"user_and_password", "https://user:hunter2@h/x", ""},
    {"query", "https://h/x?a=hunter2", ""},
    {"empty_query", "https://h/x?", ""},
    {"fragment", "https://h/x#hunter2", ""},
    {"empty", "", ""},
    {"no_scheme", "api.mediaconnect.no/capi", ""},
    {"other_scheme", "ftp://h/x", ""},
    {"file", "file:///etc/passwd", ""},
    {"space", "https://h/a b", ""},
    {"line_break", "https://h/a\nb", ""},
    {"no_host", "https://", ""},
    {"bad_port", "https://h:99999", ""},
};
INSTANTIATE_TEST_SUITE_P(Table, UrlTest, testing::ValuesIn(urls), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace connectid
