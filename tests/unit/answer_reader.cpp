#include "http/answer_reader.hpp"

#include <gtest/gtest.h>

namespace connectid::http {
namespace {

// ---- lines

TEST(AnswerReaderLine, of_status_gives_its_three_digits_or_zero) {
  struct {
    const char* line;
    int status;
  } const rows[] = {
      {"HTTP/1.1 200 OK", 200}, {"HTTP/1.1 200", 200},   {"HTTP/1.0 404 Not Found", 404},
      {"HTTP/2 503", 503},      {"HTTP/1.1 200 ", 200},  {"HTTP/1.1 20", 0},
      {"HTTP/1.1 2000", 0},     {"HTTP/1.1 200OK", 0},   {"HTTP/1.1  200 OK", 0},
      {"HTTP/1.1 -20 OK", 0},   {"HTTP/1.1 +20 OK", 0},  {"HTTP/1.1 OK", 0},
      {"HTTP/1.1", 0},          {"HTTP/1.1 ", 0},        {"", 0},
      {"ICY 200 OK", 0},        {" HTTP/1.1 200 OK", 0}, {"HTTP/1.1\t200 OK", 0},
      {"HTTP/x.1 200 OK", 0},   {"HTTP/1. 200 OK", 0},   {"HTTP/1.10 200 OK", 0},
      {"HTTP/ 200 OK", 0},      {"HTTP/1.1 0x8 OK", 0},  {"HTTP/1.1 999 ", 999},
  };
  for (const auto& row : rows) EXPECT_EQ(status_of(row.line), row.status) << row.line;
}

TEST(AnswerReaderLine, of_a_field_gives_name_and_value) {
  struct {
    const char *line, *name, *value;
  } const rows[] = {
      {"Content-Length: 17", "Content-Length", "17"},
      {"Content-Length:17", "Content-Length", "17"},
      {"X: \t two words \t", "X", "two words"},
      {"Date: Thu, 01 Jan 2026 00:00:00 GMT", "Date", "Thu, 01 Jan 2026 00:00:00 GMT"},
      {"Empty:", "Empty", ""},
  };
  for (const auto& row : rows) {
    const auto field = field_of(row.line);
    ASSERT_TRUE(field) << row.line;
    EXPECT_EQ(field->name, row.name);
    EXPECT_EQ(field->value, row.value);
  }
}

TEST(AnswerReaderLine, that_is_no_field_by_the_letter_gives_none) {
  for (const char* line : {"", "no colon", ": no name", "Content-Length : 17", " Folded: 1", "\tFolded: 1", "A B: 1",
                           "X: a\rb", "X: \x7f"}) {
    EXPECT_FALSE(field_of(line)) << line;
  }
}

// ---- framing

struct FramingRow {
  const char* name;
  Headers headers;
  Framing framing;
};
class AnswerFraming : public ::testing::TestWithParam<FramingRow> {};

TEST_P(AnswerFraming, is_by_headers_only_where_they_can_be_read_in_one_way) {
  EXPECT_EQ(framing_of(GetParam().headers), GetParam().framing);
}

const FramingRow framings[] = {
    {"nothing_said", {}, Framing::by_close},
    {"other_fields", {{"Date", "x"}}, Framing::by_close},
    {"length", {{"Content-Length", "17"}}, Framing::by_headers},
    {"length_in_any_case", {{"cOnTeNt-lEnGtH", "17"}}, Framing::by_headers},
    {"length_twice_the_same", {{"Content-Length", "17"}, {"Content-Length", "17"}}, Framing::by_headers},
    {"length_twice_not_the_same", {{"Content-Length", "17"}, {"Content-Length", "18"}}, Framing::contradictory},
    {"length_list", {{"Content-Length", "17, 17"}}, Framing::contradictory},
    {"length_empty", {{"Content-Length", ""}}, Framing::contradictory},
    {"length_negative", {{"Content-Length", "-1"}}, Framing::contradictory},
    {"length_minus_zero", {{"Content-Length", "-0"}}, Framing::contradictory},
    {"length_hexadecimal", {{"Content-Length", "0x11"}}, Framing::contradictory},
    {"length_with_a_unit", {{"Content-Length", "17 bytes"}}, Framing::contradictory},
    {"length_too_large", {{"Content-Length", "99999999999999999999"}}, Framing::contradictory},
    {"chunked", {{"Transfer-Encoding", "chunked"}}, Framing::by_headers},
    {"chunked_in_any_case", {{"transfer-encoding", "Chunked"}}, Framing::by_headers},
    {"chunked_wins_over_a_length", {{"Transfer-Encoding", "chunked"}, {"Content-Length", "17"}}, Framing::by_headers},
    {"chunked_twice", {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}, Framing::contradictory},
    {"gzip_and_chunked", {{"Transfer-Encoding", "gzip, chunked"}}, Framing::contradictory},
    {"identity", {{"Transfer-Encoding", "identity"}}, Framing::contradictory},
    {"coding_empty", {{"Transfer-Encoding", ""}}, Framing::contradictory},
};
INSTANTIATE_TEST_SUITE_P(Table, AnswerFraming, ::testing::ValuesIn(framings),
                         [](const auto& row) { return row.param.name; });

// ---- answers

struct Taken {
  AnswerReader reader{1000, 100};
  std::optional<Cause> refused = {};
};

Taken take(std::initializer_list<const char*> lines) {
  Taken taken;
  for (const char* line : lines) {
    if (!taken.refused) taken.refused = taken.reader.take_header(std::string(line) + "\r\n");
  }
  return taken;
}

TEST(AnswerReader, puts_an_answer_together) {
  auto [reader, refused] = take({"HTTP/1.1 200 OK", "Content-Length: 4", "X: 1", ""});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(reader.headers_whole());
  EXPECT_FALSE(reader.take_body("ab"));
  EXPECT_FALSE(reader.take_body("cd"));
  EXPECT_EQ(reader.status(), 200);
  EXPECT_EQ(reader.headers().size(), 2U);
  EXPECT_EQ(reader.body(), "abcd");
  EXPECT_EQ(reader.framing(), Framing::by_headers);
}

TEST(AnswerReader, has_begun_with_the_first_line_and_is_whole_with_the_blank_one) {
  AnswerReader reader(1000, 100);
  EXPECT_FALSE(reader.begun());
  EXPECT_FALSE(reader.take_header("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(reader.begun());
  EXPECT_FALSE(reader.headers_whole());
  EXPECT_FALSE(reader.take_header("\n"));
  EXPECT_TRUE(reader.headers_whole());
}

TEST(AnswerReader, takes_the_last_section_and_forgets_the_fields_of_interim_ones) {
  const auto taken = take({"HTTP/1.1 103 Early Hints", "Link: x", "", "HTTP/1.1 404 Not Found", "A: 1", ""});
  EXPECT_EQ(taken.reader.status(), 404);
  EXPECT_EQ(taken.reader.headers().size(), 1U);
  EXPECT_EQ(taken.reader.framing(), Framing::by_close);
}

TEST(AnswerReader, is_not_whole_after_an_interim_answer_alone) {
  EXPECT_FALSE(take({"HTTP/1.1 100 Continue", ""}).reader.headers_whole());
}

TEST(AnswerReader, takes_a_field_that_looks_like_a_status_line_as_a_field_that_is_odd) {
  const auto taken = take({"HTTP/1.1 500 Oops", "HTTP/1.1 200 OK", "Content-Length: 0", ""});
  EXPECT_EQ(taken.reader.status(), 500);
  EXPECT_EQ(taken.reader.framing(), Framing::contradictory);
}

TEST(AnswerReader, trusts_no_framing_beside_what_can_be_read_in_two_ways) {
  for (const char* odd : {" folded: 1", "Content-Length : 4", "no colon"}) {
    EXPECT_EQ(take({"HTTP/1.1 200 OK", "Content-Length: 4", odd, ""}).reader.framing(), Framing::contradictory) << odd;
  }
  EXPECT_EQ(take({"HTTP/1.1 100 Continue", "Content-Length: 4", "", "HTTP/1.1 200 OK", "Content-Length: 4", ""})
                .reader.framing(),
            Framing::contradictory);
  EXPECT_EQ(take({"HTTP/1.0 200 OK", "Transfer-Encoding: chunked", ""}).reader.framing(), Framing::contradictory);
}

TEST(AnswerReader, takes_trailers_and_refuses_what_only_looks_like_them) {
  EXPECT_FALSE(take({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "X-Sum: 1", ""}).refused);
  EXPECT_EQ(take({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", R"({"status" "OK"})"}).refused,
            Cause::malformed);
}

TEST(AnswerReader, refuses_a_body_before_the_headers_are_whole) {
  AnswerReader reader = take({"HTTP/1.1 200 OK", "A: 1"}).reader;
  EXPECT_EQ(reader.take_body("x"), Cause::malformed);
}

TEST(AnswerReader, refuses_more_than_its_limits_and_not_less) {
  AnswerReader reader(17 + 2, 3);
  EXPECT_FALSE(reader.take_header("HTTP/1.1 200 OK\r\n"));
  EXPECT_FALSE(reader.take_header("\r\n"));
  EXPECT_FALSE(reader.take_body("abc"));
  EXPECT_EQ(reader.take_body("d"), Cause::too_large);
  EXPECT_EQ(reader.body(), "abc");
  EXPECT_EQ(reader.take_header("\n"), Cause::too_large);
}

}  // namespace
}  // namespace connectid::http
