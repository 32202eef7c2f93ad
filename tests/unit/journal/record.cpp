#include "journal/record.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace connectid::detail {
namespace {

using namespace std::chrono_literals;
using Kind = Record::Kind;

constexpr Timestamp at = std::chrono::sys_days{2026y / 4 / 1} + 3h + 7s + 123ms;
constexpr JournalCall call{
    .call_id = "order-1.1", .method = "POST", .url = "https://h.example/v1/subscription", .body = R"({"copies":1})"};

std::string sending() { return sending_line(call, 2, at); }
std::string ended() { return ended_line(call, Outcome::not_sent, at); }
std::string without_newline(std::string line) {
  line.pop_back();
  return line;
}

TEST(Record, is_written_so) {
  EXPECT_EQ(sending(), R"({"v":1,"at":"2026-04-01T03:00:07.123Z","event":"sending","call_id":"order-1.1","attempt":2,)"
                       R"("method":"POST","url":"https://h.example/v1/subscription","body":"{\"copies\":1}"})"
                       "\n");
  EXPECT_EQ(ended(), R"({"v":1,"at":"2026-04-01T03:00:07.123Z","event":"ended","call_id":"order-1.1",)"
                     R"("outcome":"not_sent"})"
                     "\n");
}

TEST(Record, is_read_as_it_was_written) {
  const Record read = read_record(without_newline(sending()));
  EXPECT_EQ(read.kind, Kind::sending);
  EXPECT_FALSE(read.after_half_a_line);
  EXPECT_EQ(read.at, at);
  EXPECT_EQ(read.call_id, call.call_id);
  EXPECT_EQ(read.attempt, 2);
  EXPECT_EQ(read.method, call.method);
  EXPECT_EQ(read.url, call.url);
  EXPECT_EQ(read.body, call.body);

  const Record end = read_record(without_newline(ended()));
  EXPECT_EQ(end.kind, Kind::ended);
  EXPECT_EQ(end.at, at);
  EXPECT_EQ(end.call_id, call.call_id);
  EXPECT_EQ(end.outcome, "not_sent");
}

TEST(Record, holds_any_text_and_stays_one_line) {
  for (const std::string text : {"two\nlines", "\r\t\"\\", R"({"v":1,"event":"ended"})", "{\"", "\xE2\x80\xA8", "",
                                 "Bj\xC3\xB8rn \xF0\x9F\x93\xB0"}) {
    const std::string line = sending_line({.call_id = text, .method = text, .url = text, .body = text}, 1, at);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    const Record read = read_record(without_newline(line));
    EXPECT_EQ(read.kind, Kind::sending) << line;
    EXPECT_FALSE(read.after_half_a_line) << line;
    EXPECT_EQ(read.call_id, text);
    EXPECT_EQ(read.body, text);
  }
}

TEST(Record, holds_bytes_that_are_no_text) {
  const std::string bytes("\xFF\0\xC3", 3);
  const Record read = read_record(without_newline(sending_line({.call_id = bytes}, 1, at)));
  EXPECT_EQ(read.kind, Kind::sending);
  EXPECT_EQ(read.call_id, std::string("\xEF\xBF\xBD\0\xEF\xBF\xBD", 7));
}

TEST(Record, truncated_anywhere_is_no_line) {
  for (const std::string& whole : {without_newline(sending()), without_newline(ended())}) {
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_EQ(read_record(whole.substr(0, size)).kind, Kind::damaged) << whole.substr(0, size);
    }
  }
}

TEST(Record, is_read_behind_what_a_crash_left_of_another) {
  const std::string next = without_newline(ended());
  for (std::size_t size = 1; size < sending().size(); ++size) {
    const Record read = read_record(sending().substr(0, size) + next);
    EXPECT_EQ(read.kind, Kind::ended) << size;
    EXPECT_TRUE(read.after_half_a_line) << size;
    EXPECT_EQ(read.call_id, "order-1.1") << size;
  }
  EXPECT_EQ(read_record(std::string(4096, '\0') + next).kind, Kind::ended);
}

struct Row {
  const char* name;
  std::string text;
  Kind kind;
};
class RecordKinds : public ::testing::TestWithParam<Row> {};

TEST_P(RecordKinds, are_told_apart) { EXPECT_EQ(read_record(GetParam().text).kind, GetParam().kind); }

std::string ended_with(const std::string& fields) {
  return R"({"v":1,"at":"2026-04-01T03:00:07.123Z","event":"ended")" + fields + "}";
}
std::string sending_with(const std::string& fields) {
  return R"({"v":1,"at":"2026-04-01T03:00:07.123Z","event":"sending","call_id":"a")" + fields + "}";
}
const Row rows[] = {
    {"empty", "", Kind::other},
    {"a_new_field", ended_with(R"(,"call_id":"a","outcome":"succeeded","tried":[1,{}])"), Kind::ended},
    {"a_new_outcome", ended_with(R"(,"call_id":"a","outcome":"cancelled")"), Kind::ended},
    {"a_new_event", R"({"v":1,"at":"2026-04-01T03:00:07.123Z","event":"paused"})", Kind::other},
    {"a_newer_format", R"({"v":2,"what":"ever"})", Kind::newer_format},
    {"a_far_newer_format", R"({"v":18446744073709551615})", Kind::newer_format},
    {"format_0", R"({"v":0,"at":"2026-04-01T03:00:07.123Z","event":"ended","call_id":"a","outcome":"succeeded"})",
     Kind::damaged},
    {"a_negative_format", R"({"v":-1})", Kind::damaged},
    {"a_format_that_is_text", R"({"v":"1"})", Kind::damaged},
    {"no_format", R"({"at":"2026-04-01T03:00:07.123Z","event":"ended","call_id":"a","outcome":"succeeded"})",
     Kind::damaged},
    {"no_time", R"({"v":1,"event":"ended","call_id":"a","outcome":"succeeded"})", Kind::damaged},
    {"a_time_that_is_none", R"({"v":1,"at":"now","event":"ended","call_id":"a","outcome":"succeeded"})", Kind::damaged},
    {"a_year_that_no_timestamp_counts",
     R"({"v":1,"at":"292278995-04-01T03:00:07.123Z","event":"ended","call_id":"a","outcome":"succeeded"})",
     Kind::damaged},
    {"no_event", R"({"v":1,"at":"2026-04-01T03:00:07.123Z"})", Kind::damaged},
    {"ended_without_an_id", ended_with(R"(,"outcome":"succeeded")"), Kind::damaged},
    {"ended_without_an_outcome", ended_with(R"(,"call_id":"a")"), Kind::damaged},
    {"ended_with_a_number_for_an_outcome", ended_with(R"(,"call_id":"a","outcome":1)"), Kind::damaged},
    {"sending", sending_with(R"(,"attempt":1,"method":"POST","url":"u","body":"b")"), Kind::sending},
    {"sending_without_an_attempt", sending_with(R"(,"method":"POST","url":"u","body":"b")"), Kind::damaged},
    {"sending_of_attempt_1_5", sending_with(R"(,"attempt":1.5,"method":"POST","url":"u","body":"b")"), Kind::damaged},
    {"sending_of_a_huge_attempt", sending_with(R"(,"attempt":1e400,"method":"POST","url":"u","body":"b")"),
     Kind::damaged},
    {"sending_of_a_large_attempt", sending_with(R"(,"attempt":9999999999,"method":"POST","url":"u","body":"b")"),
     Kind::sending},
    {"sending_without_a_method", sending_with(R"(,"attempt":1,"url":"u","body":"b")"), Kind::damaged},
    {"sending_without_a_url", sending_with(R"(,"attempt":1,"method":"POST","body":"b")"), Kind::damaged},
    {"sending_without_a_body", sending_with(R"(,"attempt":1,"method":"POST","url":"u")"), Kind::damaged},
    {"a_list", R"([{"v":1}])", Kind::damaged},
    {"many_brackets", R"({"v":)" + std::string(100'000, '['), Kind::damaged},
    {"words", "the disk is full", Kind::damaged},
    {"zeros", std::string(512, '\0'), Kind::damaged},
};
INSTANTIATE_TEST_SUITE_P(Table, RecordKinds, ::testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace connectid::detail
