#include "http/response_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <random>

#include "support/seed.hpp"

namespace connectid::detail {
namespace {

using namespace http;

using namespace std::string_literals;
using State = ResponseReader::State;

constexpr ResponseBounds bounds{.max_headers = 400, .max_body = 100};

/// All that a reader says; of a body only what may be believed.
struct Said {
  State state = State::reading;
  bool headers_whole = false, by_close = false, surplus = false, coded = false, keeps_alive = false;
  int status = 0;
  std::optional<std::chrono::seconds> timeout = {};
  std::string reason = {}, fields = {}, body = {};

  friend bool operator==(const Said&, const Said&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Said& said) {
    static constexpr const char* states[] = {"reading", "whole", "malformed", "too_large"};
    return out << states[int(said.state)] << " " << said.status << " headers_whole " << said.headers_whole
               << " by_close " << said.by_close << " surplus " << said.surplus << " coded " << said.coded
               << " keeps_alive " << said.keeps_alive << " timeout " << (said.timeout ? said.timeout->count() : -1)
               << " reason '" << said.reason << "' fields '" << said.fields << "' body '" << said.body << "'";
  }
};

Said said_by(ResponseReader reader) {
  Said said{.state = reader.state(), .headers_whole = reader.headers_whole(), .surplus = reader.surplus()};
  said.reason = reader.reason();
  if (said.state == State::malformed || !said.headers_whole) return said;
  said.by_close = reader.ends_with_the_connection();
  said.coded = reader.coded();
  said.keeps_alive = reader.keeps_alive();
  said.status = reader.status();
  said.timeout = reader.keep_alive_timeout();
  said.body = reader.body();
  for (const auto& [name, value] : std::move(reader).headers()) said.fields += name + "=" + value + ";";
  return said;
}

/// Fed in pieces of the sizes that `next` names.
Said read(std::string_view bytes, bool to_head, const std::function<std::size_t()>& next,
          const ResponseBounds& within = bounds) {
  ResponseReader reader(within, to_head);
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, next()));  // of its own: nothing may be kept of it
    const State state = reader.take(piece);
    EXPECT_EQ(state, reader.state());
    bytes.remove_prefix(piece.size());
  }
  return said_by(std::move(reader));
}

Said read(std::string_view bytes, bool to_head = false, const ResponseBounds& within = bounds) {
  return read(
      bytes, to_head, [&] { return bytes.size(); }, within);
}

/// However it is cut it is the same.
void expect_read(std::string_view bytes, bool to_head, const Said& expected, const ResponseBounds& within = bounds) {
  static std::mt19937 dice(seed());
  EXPECT_EQ(read(bytes, to_head, within), expected);
  EXPECT_EQ(read(
                bytes, to_head, [] { return 1U; }, within),
            expected)
      << "byte by byte";
  for (int i = 0; i < 20; ++i) {
    const std::size_t most = 1 + dice() % 60;
    EXPECT_EQ(read(
                  bytes, to_head, [&] { return 1 + dice() % most; }, within),
              expected)
        << "in pieces";
  }
}

// ---- what is refused

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) { return ok("Transfer-Encoding: chunked\r\n", body); }
std::string with_trailer(const std::string& lines) { return chunked("2\r\n{}\r\n0\r\n" + lines + "\r\n"); }

struct Refused {
  const char* name;
  std::string bytes;
  const char* reason;
  State state = State::malformed;
  bool to_head = false;
};

constexpr const char no_version[] = "it begins with no HTTP/1.1";
constexpr const char no_status[] = "its status is no three digits";
constexpr const char bad_phrase[] = "its reason phrase holds a control character";
constexpr const char bare_lf[] = "a line ends in a bare LF";
constexpr const char folded[] = "a header line is folded";
constexpr const char no_colon[] = "a header line has no colon";
constexpr const char no_token[] = "a header's name is no token";
constexpr const char bad_value[] = "a header's value holds a control character";
constexpr const char no_length[] = "its Content-Length is no number";
constexpr const char two_lengths[] = "it has two Content-Lengths";
constexpr const char two_codings[] = "it has two Transfer-Encodings";
constexpr const char two_framings[] = "it has a Content-Length and a Transfer-Encoding";
constexpr const char not_chunked[] = "its Transfer-Encoding is not chunked";
constexpr const char coded_in_1_0[] = "a response of HTTP/1.0 has a Transfer-Encoding";
constexpr const char coded_nothing[] = "a response without a body has a Transfer-Encoding";
constexpr const char sized_interim[] = "an interim response has a Content-Length";
constexpr const char switches[] = "it changes to a protocol that nobody asked for";
constexpr const char old_interim[] = "an interim response is of HTTP/1.0";
constexpr const char closing_interim[] = "an interim response closes the connection";
constexpr const char tab_behind[] = "a tab follows its length or coding";
constexpr const char no_options[] = "its Connection is no list of tokens";
constexpr const char no_size[] = "a chunk's size is no hexadecimal number";
constexpr const char bad_chunk_end[] = "a chunk does not end where its size says";
constexpr const char bad_trailer[] = "a trailer says what only a header may say";
constexpr const char large_headers[] = "its headers are too large";
constexpr const char large_body[] = "its body is too large";

class RefusedResponse : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedResponse, is_refused_for_its_reason_however_it_is_split_and_nothing_behind_it_changes_that) {
  const Refused& row = GetParam();
  const Said whole = read(row.bytes, row.to_head);
  EXPECT_EQ(whole.state, row.state);
  EXPECT_EQ(whole.reason, row.reason);
  expect_read(row.bytes, row.to_head, whole);
  ResponseReader reader(bounds, row.to_head);
  reader.take(row.bytes);
  for (const auto& more : {"\r\n"s, ok("Content-Length: 0\r\n"), "0\r\n\r\n"s}) EXPECT_EQ(reader.take(more), row.state);
  EXPECT_EQ(said_by(std::move(reader)), whole);
}

const Refused status_lines[] = {
    {"version_2_0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", no_version},
    {"version_2", "HTTP/2 200 OK\r\n", no_version},
    {"version_1_2", "HTTP/1.2 200 OK\r\n", no_version},
    {"version_0_9", "HTTP/0.9 200 OK\r\n", no_version},
    {"version_1_10", "HTTP/1.10 200 OK\r\n", no_version},
    {"version_1", "HTTP/1 200 OK\r\n", no_version},
    {"version_in_lower_case", "http/1.1 200 OK\r\n", no_version},
    {"version_missing", "200 OK\r\n", no_version},
    {"version_of_another_protocol", "ICY 200 OK\r\n", no_version},
    {"version_behind_a_space", " HTTP/1.1 200 OK\r\n", no_version},
    {"version_before_a_tab", "HTTP/1.1\t200 OK\r\n", no_version},
    {"version_alone", "HTTP/1.1\r\n", no_version},
    {"empty_line_first", "\r\nHTTP/1.1 200 OK\r\n", no_version},
    {"empty_line_between_sections", "HTTP/1.1 103 Hints\r\n\r\n\r\nHTTP/1.1 200 OK\r\n", no_version},
    {"no_status", "HTTP/1.1 \r\n", no_status},
    {"status_of_one_digit", "HTTP/1.1 2\r\n", no_status},
    {"status_of_two_digits", "HTTP/1.1 20\r\n", no_status},
    {"status_of_two_digits_and_a_reason", "HTTP/1.1 20 OK\r\n", no_status},
    {"status_of_four_digits", "HTTP/1.1 2000\r\n", no_status},
    {"status_with_a_letter", "HTTP/1.1 200x OK\r\n", no_status},
    {"status_of_letters", "HTTP/1.1 abc OK\r\n", no_status},
    {"status_behind_two_spaces", "HTTP/1.1  200 OK\r\n", no_status},
    {"status_before_a_tab", "HTTP/1.1 200\tOK\r\n", no_status},
    {"status_with_a_plus", "HTTP/1.1 +20 OK\r\n", no_status},
    {"status_with_a_minus", "HTTP/1.1 -20 OK\r\n", no_status},
    {"status_hexadecimal", "HTTP/1.1 0x8 OK\r\n", no_status},
    {"status_000", "HTTP/1.1 000 OK\r\n", no_status},
    {"status_099", "HTTP/1.1 099 OK\r\n", no_status},
    {"reason_with_a_bare_cr", "HTTP/1.1 200 O\rK\r\n", bad_phrase},
    {"reason_with_a_null_character", "HTTP/1.1 200 O\0K\r\n"s, bad_phrase},
    {"reason_with_an_escape", "HTTP/1.1 200 \x1b[31m\r\n", bad_phrase},
    {"reason_with_delete", "HTTP/1.1 200 \x7f\r\n", bad_phrase},
    {"status_line_with_two_crs", "HTTP/1.1 200 OK\r\r\n", bad_phrase},
    {"status_line_in_a_bare_lf", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", bare_lf},
    {"lf_alone", "\n", bare_lf},
    {"switching_protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", switches},
    {"interim_response_of_1_0", "HTTP/1.0 100 Continue\r\n\r\n" + ok("Content-Length: 0\r\n"), old_interim},
};
INSTANTIATE_TEST_SUITE_P(StatusLine, RefusedResponse, ::testing::ValuesIn(status_lines),
                         [](const auto& row) { return row.param.name; });

const Refused field_lines[] = {
    {"folded_with_a_space", ok("X: a\r\n b\r\nContent-Length: 0\r\n"), folded},
    {"folded_with_a_tab", ok("X: a\r\n\tb\r\n"), folded},
    {"folded_length", ok("X: a\r\n Content-Length: 0\r\n"), folded},
    {"folded_first_line", ok(" X: a\r\nContent-Length: 0\r\n"), folded},
    {"line_of_a_space", ok(" \r\n"), folded},
    {"no_colon", ok("no colon\r\n"), no_colon},
    {"status_line_again", ok("HTTP/1.1 200 OK\r\n"), no_colon},
    {"field_like_a_status_line", ok("HTTP/1.1 400: x\r\n"), no_token},
    {"empty_name", ok(": 1\r\n"), no_token},
    {"space_before_the_colon", ok("Content-Length : 0\r\n"), no_token},
    {"tab_before_the_colon", ok("Content-Length\t: 0\r\n"), no_token},
    {"space_in_the_name", ok("A B: 1\r\n"), no_token},
    {"separator_in_the_name", ok("A(B): 1\r\n"), no_token},
    {"null_character_in_the_name", ok("A\0B: 1\r\n"s), no_token},
    {"name_that_is_not_ascii", ok("\xc3\xa4: 1\r\n"), no_token},
    {"bare_cr_in_the_name", ok("A\rB: 1\r\n"), no_token},
    {"bare_cr_first", ok("\rA: 1\r\n"), no_token},
    {"bare_cr_in_the_value", ok("A: 1\rContent-Length: 9\r\n"), bad_value},
    {"bare_cr_before_the_end", ok("A: 1\r\r\n"), bad_value},
    {"null_character_in_the_value", ok("A: 1\0\r\n"s), bad_value},
    {"escape_in_the_value", ok("A: \x1b\r\n"), bad_value},
    {"delete_in_the_value", ok("A: \x7f\r\n"), bad_value},
    {"field_in_a_bare_lf", ok("A: 1\nContent-Length: 0\r\n"), bare_lf},
    {"blank_line_in_a_bare_lf", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n", bare_lf},
    {"blank_line_with_two_crs", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\r\n", no_colon},
    {"option_with_a_space", ok("Connection: keep alive\r\n"), no_options},
    {"option_with_a_separator", ok("Connection: close;q=1\r\n"), no_options},
    {"option_quoted", ok("Connection: \"close\"\r\n"), no_options},
    {"option_behind_a_good_one", ok("Connection: close, b@d\r\n"), no_options},
    {"options_in_the_second_field", ok("Connection: close\r\nConnection: @\r\n"), no_options},
    {"options_none", ok("Connection:\r\n"), no_options},
    {"options_all_empty", ok("Connection: , ,\r\n"), no_options},
    {"close_of_an_interim_response",
     "HTTP/1.1 100 Continue\r\nConnection: x, Close\r\n\r\n" + ok("Content-Length: 0\r\n"), closing_interim},
    {"option_of_an_interim_response", "HTTP/1.1 103 Hints\r\nConnection: @\r\n\r\n", no_options},
};
INSTANTIATE_TEST_SUITE_P(FieldLine, RefusedResponse, ::testing::ValuesIn(field_lines),
                         [](const auto& row) { return row.param.name; });

const Refused framings[] = {
    {"length_twice", ok("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), two_lengths},
    {"length_twice_in_another_case", ok("Content-Length: 2\r\ncontent-length: 2\r\n", "{}"), two_lengths},
    {"lengths_that_differ", ok("Content-Length: 17\r\nContent-Length: 0\r\n"), two_lengths},
    {"length_list_of_the_same", ok("Content-Length: 2, 2\r\n", "{}"), no_length},
    {"length_list", ok("Content-Length: 0, 17\r\n"), no_length},
    {"length_empty", ok("Content-Length:\r\n"), no_length},
    {"length_plus", ok("Content-Length: +0\r\n"), no_length},
    {"length_minus", ok("Content-Length: -1\r\n"), no_length},
    {"length_minus_zero", ok("Content-Length: -0\r\n"), no_length},
    {"length_hexadecimal", ok("Content-Length: 0x11\r\n"), no_length},
    {"length_with_a_unit", ok("Content-Length: 2 bytes\r\n", "{}"), no_length},
    {"length_with_a_point", ok("Content-Length: 2.0\r\n", "{}"), no_length},
    {"length_with_a_space_inside", ok("Content-Length: 1 7\r\n"), no_length},
    {"length_of_65_bits", ok("Content-Length: 18446744073709551616\r\n"), no_length},
    {"length_of_twenty_nines", ok("Content-Length: 99999999999999999999\r\n"), no_length},
    {"length_malformed_to_head", ok("Content-Length: x\r\n"), no_length, State::malformed, true},
    {"length_malformed_of_204", "HTTP/1.1 204 No Content\r\nContent-Length: 1, 1\r\n\r\n", no_length},
    {"length_of_an_interim_response", "HTTP/1.1 103 Hints\r\nContent-Length: 2\r\n\r\n", sized_interim},
    {"length_zero_of_an_interim_response", "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", sized_interim},
    {"length_before_a_coding", ok("Content-Length: 12\r\nTransfer-Encoding: chunked\r\n"), two_framings},
    {"length_behind_a_coding", ok("Transfer-Encoding: chunked\r\nContent-Length: 12\r\n"), two_framings},
    {"coding_twice", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), two_codings},
    {"coding_gzip_and_chunked", ok("Transfer-Encoding: gzip, chunked\r\n"), not_chunked},
    {"coding_chunked_twice_in_a_list", ok("Transfer-Encoding: chunked, chunked\r\n"), not_chunked},
    {"coding_with_a_parameter", ok("Transfer-Encoding: chunked;q=1\r\n"), not_chunked},
    {"coding_with_a_comma", ok("Transfer-Encoding: chunked,\r\n"), not_chunked},
    {"coding_quoted", ok("Transfer-Encoding: \"chunked\"\r\n"), not_chunked},
    {"coding_identity", ok("Transfer-Encoding: identity\r\n"), not_chunked},
    {"coding_unknown", ok("Transfer-Encoding: foo\r\n"), not_chunked},
    {"coding_nearly", ok("Transfer-Encoding: xchunked\r\n"), not_chunked},
    {"coding_before_a_tab", ok("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"), tab_behind},
    {"coding_before_spaces_and_a_tab", ok("Transfer-Encoding: chunked \t \r\n", "0\r\n\r\n"), tab_behind},
    {"length_before_a_tab", ok("Content-Length: 2\t\r\n", "{}"), tab_behind},
    {"coding_empty", ok("Transfer-Encoding:\r\n"), not_chunked},
    {"coding_in_1_0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", coded_in_1_0},
    {"coding_of_204", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", coded_nothing},
    {"coding_of_an_interim_response", "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n", coded_nothing},
    {"coding_malformed_of_304", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: x\r\n\r\n", not_chunked},
    {"coding_malformed_to_head", ok("Transfer-Encoding: x\r\n"), not_chunked, State::malformed, true},
};
INSTANTIATE_TEST_SUITE_P(Framing, RefusedResponse, ::testing::ValuesIn(framings),
                         [](const auto& row) { return row.param.name; });

const Refused chunks[] = {
    {"size_with_a_prefix", chunked("0x2\r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_empty", chunked("\r\n"), no_size},
    {"size_of_a_letter", chunked("g\r\n"), no_size},
    {"size_with_a_plus", chunked("+2\r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_with_a_minus", chunked("-2\r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_behind_a_space", chunked(" 2\r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_before_a_space", chunked("2 \r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_before_a_tab", chunked("2\t\r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_before_a_null_character", chunked("2\0\r\n{}\r\n0\r\n\r\n"s), no_size},
    {"size_before_two_crs", chunked("2\r\r\n{}\r\n0\r\n\r\n"), no_size},
    {"size_of_17_digits", chunked("00000000000000002\r\n{}\r\n0\r\n\r\n"), no_size},
    {"last_size_of_17_digits", chunked("00000000000000000\r\n\r\n"), no_size},
    {"extension", chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), no_size},
    {"extension_without_a_value", chunked("2;a\r\n{}\r\n0\r\n\r\n"), no_size},
    {"extension_empty", chunked("2;\r\n{}\r\n0\r\n\r\n"), no_size},
    {"extension_of_the_last_chunk", chunked("2\r\n{}\r\n0;a=b\r\n\r\n"), no_size},
    {"last_chunk_with_an_error", chunked("2\r\n{}\r\n0, internal error\r\n\r\n"), no_size},
    {"size_in_a_bare_lf", chunked("2\n{}\r\n0\r\n\r\n"), bare_lf},
    {"last_size_in_a_bare_lf", chunked("2\r\n{}\r\n0\n\r\n"), bare_lf},
    {"last_line_in_a_bare_lf", chunked("2\r\n{}\r\n0\r\n\n"), bare_lf},
    {"data_longer_than_the_size", chunked("2\r\n{}x\r\n0\r\n\r\n"), bad_chunk_end},
    {"data_before_a_bare_lf", chunked("2\r\n{}\n0\r\n\r\n"), bad_chunk_end},
    {"data_before_a_bare_cr", chunked("2\r\n{}\r0\r\n\r\n"), bad_chunk_end},
    {"size_directly_behind_data", chunked("2\r\n{}0\r\n\r\n"), bad_chunk_end},
    {"trailer_length", with_trailer("Content-Length: 2\r\n"), bad_trailer},
    {"trailer_coding", with_trailer("transfer-encoding: chunked\r\n"), bad_trailer},
    {"trailer_host", with_trailer("Host: a\r\n"), bad_trailer},
    {"trailer_content_encoding", with_trailer("Content-Encoding: gzip\r\n"), bad_trailer},
    {"trailer_content_type", with_trailer("Content-Type: text/html\r\n"), bad_trailer},
    {"trailer_content_range", with_trailer("Content-Range: bytes 0-1/2\r\n"), bad_trailer},
    {"trailer_trailer", with_trailer("Trailer: X\r\n"), bad_trailer},
    {"trailer_connection", with_trailer("X: 1\r\nConnection: close\r\n"), bad_trailer},
    {"trailer_without_a_colon", with_trailer("internal error\r\n"), no_colon},
    {"trailer_of_json", with_trailer("{\"status\":\"FAILED\"}\r\n"), no_token},
    {"trailer_folded", with_trailer("X: 1\r\n 2\r\n"), folded},
    {"trailer_with_a_space_before_the_colon", with_trailer("X : 1\r\n"), no_token},
    {"trailer_with_a_null_character", with_trailer("X: \0\r\n"s), bad_value},
    {"trailer_in_a_bare_lf", with_trailer("X: 1\n"), bare_lf},
};
INSTANTIATE_TEST_SUITE_P(Chunks, RefusedResponse, ::testing::ValuesIn(chunks),
                         [](const auto& row) { return row.param.name; });

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

const Refused too_large[] = {
    {"length", ok("Content-Length: 101\r\n"), large_body, State::too_large},
    {"length_of_64_bits", ok("Content-Length: 18446744073709551615\r\n"), large_body, State::too_large},
    {"chunk", chunked("65\r\n"), large_body, State::too_large},
    {"chunk_of_64_bits", chunked("ffffffffffffffff\r\n"), large_body, State::too_large},
    {"chunks_together", chunked("63\r\n" + times(99, "x") + "\r\n2\r\n"), large_body, State::too_large},
    {"chunk_sizes_that_would_overflow", chunked("1\r\nx\r\nffffffffffffffff\r\n"), large_body, State::too_large},
    {"body_to_the_close", ok("", times(101, "x")), large_body, State::too_large},
    {"header_line_without_an_end", "HTTP/1.1 200 OK\r\nX: " + times(400, "x"), large_headers, State::too_large},
    {"status_line_without_an_end", times(401, "x"), large_headers, State::too_large},
    {"malformed_line_with_its_end_behind_the_bound", times(500, "x") + "\n", large_headers, State::too_large},
    {"many_headers", ok(times(100, "X: 1\r\n")), large_headers, State::too_large},
    {"many_interim_responses", times(20, "HTTP/1.1 103 Early Hints\r\n\r\n"), large_headers, State::too_large},
    {"many_trailers", with_trailer(times(100, "X: 1\r\n")), large_headers, State::too_large},
    {"many_small_chunks", ok("Transfer-Encoding: chunked\r\n" + times(33, "X: 12345\r\n"), times(99, "1\r\nx\r\n")),
     large_headers, State::too_large},
    {"chunk_size_without_an_end", chunked(times(400, "0")), large_headers, State::too_large},
};
INSTANTIATE_TEST_SUITE_P(TooLarge, RefusedResponse, ::testing::ValuesIn(too_large),
                         [](const auto& row) { return row.param.name; });

// ---- what is taken

struct Taken {
  const char* name;
  std::string bytes;
  Said said;
  bool to_head = false;
};

/// A whole response; HTTP/1.1 that keeps its connection, unless the row says otherwise.
Said whole(int status, const std::string& fields, const std::string& body = "") {
  return {.state = State::whole,
          .headers_whole = true,
          .keeps_alive = true,
          .status = status,
          .fields = fields,
          .body = body};
}
Said that_closes(Said said) {
  said.keeps_alive = false;
  return said;
}
Said that_is_coded(Said said) {
  said.coded = true;
  return said;
}
Said that_waits(Said said, unsigned seconds) {
  said.timeout = std::chrono::seconds{seconds};
  return said;
}
Said in_chunks(const std::string& body) { return whole(200, "Transfer-Encoding=chunked;", body); }
Said empty(const std::string& fields) { return whole(200, fields + "Content-Length=0;"); }

class WholeResponse : public ::testing::TestWithParam<Taken> {};

TEST_P(WholeResponse, is_read_the_same_however_it_is_split) {
  expect_read(GetParam().bytes, GetParam().to_head, GetParam().said);
}

TEST_P(WholeResponse, is_not_whole_a_byte_before_its_end) {
  const std::string_view bytes = GetParam().bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Said truncated = read(bytes.substr(0, size), GetParam().to_head);
    ASSERT_EQ(truncated.state, State::reading) << size;
    ASSERT_FALSE(truncated.keeps_alive || truncated.surplus || truncated.by_close) << size;
  }
}

TEST_P(WholeResponse, notices_what_comes_behind_it_and_reads_none_of_it) {
  Said expected = that_closes(GetParam().said);
  expected.surplus = true;
  for (const auto& more : {"x"s, "\r\n"s, ok("Content-Length: 0\r\n")}) {
    expect_read(GetParam().bytes + more, GetParam().to_head, expected);
  }
}

const Taken sized[] = {
    {"length", ok("Content-Length: 2\r\n", "{}"), whole(200, "Content-Length=2;", "{}")},
    {"length_without_a_space", ok("Content-Length:2\r\n", "{}"), whole(200, "Content-Length=2;", "{}")},
    {"length_with_space_around", ok("Content-Length: \t 2  \r\n", "{}"), whole(200, "Content-Length=2;", "{}")},
    {"length_in_another_case", ok("cOnTeNt-lEnGtH: 2\r\n", "{}"), whole(200, "cOnTeNt-lEnGtH=2;", "{}")},
    {"length_with_zeros", ok("Content-Length: 000000000000000000000002\r\n", "{}"),
     whole(200, "Content-Length=000000000000000000000002;", "{}")},
    {"length_zero", ok("Content-Length: 0\r\n"), empty("")},
    {"length_of_a_body_of_any_bytes", ok("Content-Length: 7\r\n", "\0\r\n\r\n\xff\n"s),
     whole(200, "Content-Length=7;", "\0\r\n\r\n\xff\n"s)},
    {"length_as_large_as_may_be", ok("Content-Length: 100\r\n", times(100, "x")),
     whole(200, "Content-Length=100;", times(100, "x"))},
    {"length_in_1_0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
     that_closes(whole(200, "Content-Length=2;", "{}"))},
    {"to_head", ok("Content-Length: 2\r\n"), whole(200, "Content-Length=2;"), true},
    {"to_head_with_a_length_beyond_the_bound", ok("Content-Length: 101\r\n"), whole(200, "Content-Length=101;"), true},
    {"to_head_chunked", chunked(""), in_chunks(""), true},
    {"to_head_without_framing", ok(""), whole(200, ""), true},
    {"status_204", "HTTP/1.1 204 No Content\r\n\r\n", whole(204, "")},
    {"status_204_with_a_length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
     whole(204, "Content-Length=5;")},
    {"status_304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", whole(304, "Content-Length=500;")},
    {"status_304_chunked", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
     whole(304, "Transfer-Encoding=chunked;")},
};
INSTANTIATE_TEST_SUITE_P(Sized, WholeResponse, ::testing::ValuesIn(sized),
                         [](const auto& row) { return row.param.name; });

const Taken heads[] = {
    {"status_without_a_reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", whole(404, "Content-Length=0;")},
    {"status_with_an_empty_reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", whole(404, "Content-Length=0;")},
    {"reason_with_a_tab_and_not_ascii", "HTTP/1.1 404 Nicht\tda \xe4\r\nContent-Length: 0\r\n\r\n",
     whole(404, "Content-Length=0;")},
    {"status_200", ok("Content-Length: 0\r\n"), empty("")},
    {"status_600", "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n", whole(600, "Content-Length=0;")},
    {"status_999", "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n", whole(999, "Content-Length=0;")},
    {"value_with_tabs_around", ok("A:\tb\t\r\nContent-Length: 0\r\n"), empty("A=b;")},
    {"value_that_is_empty", ok("A:\r\nB: \r\nContent-Length: 0\r\n"), empty("A=;B=;")},
    {"value_with_colon_tab_and_not_ascii", ok("A: b: c\td\xc3\xa4\r\nContent-Length: 0\r\n"),
     empty("A=b: c\td\xc3\xa4;")},
    {"name_of_every_kind_of_character", ok("!#$%&'*+-.^_`|~09azAZ: 1\r\nContent-Length: 0\r\n"),
     empty("!#$%&'*+-.^_`|~09azAZ=1;")},
    {"field_twice", ok("A: 1\r\nA: 2\r\nContent-Length: 0\r\n"), empty("A=1;A=2;")},
    {"interim_response", "HTTP/1.1 100 Continue\r\n\r\n" + ok("Content-Length: 0\r\n"), empty("")},
    {"interim_responses_with_fields",
     "HTTP/1.1 100\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 199 x\r\nContent-Encoding: gzip\r\nKeep-Alive: "
     "timeout=1\r\n\r\n" +
         ok("Content-Length: 0\r\n"),
     empty("")},
    {"close", ok("Connection: close\r\nContent-Length: 0\r\n"), that_closes(empty("Connection=close;"))},
    {"close_in_another_case", ok("connection: CLOSE\r\nContent-Length: 0\r\n"),
     that_closes(empty("connection=CLOSE;"))},
    {"close_in_a_list", ok("Connection: keep-alive ,\t, close,\r\nContent-Length: 0\r\n"),
     that_closes(empty("Connection=keep-alive ,\t, close,;"))},
    {"close_in_the_second_field", ok("Connection: x\r\nConnection: close\r\nContent-Length: 0\r\n"),
     that_closes(empty("Connection=x;Connection=close;"))},
    {"close_in_the_first_field", ok("Connection: close\r\nConnection: x\r\nContent-Length: 0\r\n"),
     that_closes(empty("Connection=close;Connection=x;"))},
    {"keep_alive", ok("Connection: keep-alive, close-not\r\nContent-Length: 0\r\n"),
     empty("Connection=keep-alive, close-not;")},
    {"keep_alive_in_1_0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
     that_closes(empty("Connection=keep-alive;"))},
    {"coded", ok("Content-Encoding: gzip\r\nContent-Length: 0\r\n"), that_is_coded(empty("Content-Encoding=gzip;"))},
    {"coded_by_the_second_field", ok("Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 0\r\n"),
     that_is_coded(empty("Content-Encoding=identity;Content-Encoding=br;"))},
    {"coded_by_the_first_field", ok("Content-Encoding: br\r\nContent-Encoding: identity\r\nContent-Length: 0\r\n"),
     that_is_coded(empty("Content-Encoding=br;Content-Encoding=identity;"))},
    {"coded_by_a_list", ok("Content-Encoding: identity, gzip\r\nContent-Length: 0\r\n"),
     that_is_coded(empty("Content-Encoding=identity, gzip;"))},
    {"coded_by_nothing", ok("Content-Encoding:\r\nContent-Length: 0\r\n"), that_is_coded(empty("Content-Encoding=;"))},
    {"coded_not", ok("content-encoding: Identity\r\nContent-Length: 0\r\n"), empty("content-encoding=Identity;")},
};
INSTANTIATE_TEST_SUITE_P(Head, WholeResponse, ::testing::ValuesIn(heads),
                         [](const auto& row) { return row.param.name; });

const Taken in_pieces[] = {
    {"one_chunk", chunked("2\r\n{}\r\n0\r\n\r\n"), in_chunks("{}")},
    {"two_chunks", chunked("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), in_chunks("{}")},
    {"no_chunk", chunked("0\r\n\r\n"), in_chunks("")},
    {"coding_with_space_around", ok("Transfer-Encoding:\t chunked  \r\n", "0\r\n\r\n"), in_chunks("")},
    {"coding_in_another_case", ok("transfer-encoding: Chunked\r\n", "0\r\n\r\n"),
     whole(200, "transfer-encoding=Chunked;")},
    {"size_in_either_case", chunked("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"),
     in_chunks("01234567890123456789a")},
    {"size_of_16_digits", chunked("0000000000000002\r\n{}\r\n0\r\n\r\n"), in_chunks("{}")},
    {"last_size_of_16_digits", chunked("2\r\n{}\r\n0000000000000000\r\n\r\n"), in_chunks("{}")},
    {"data_like_the_last_chunk", chunked("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), in_chunks("\r\n0\r\n\r\n")},
    {"chunk_as_large_as_may_be", chunked("64\r\n" + times(100, "x") + "\r\n0\r\n\r\n"), in_chunks(times(100, "x"))},
    {"chunks_together_as_large_as_may_be", chunked("63\r\n" + times(99, "x") + "\r\n1\r\ny\r\n0\r\n\r\n"),
     in_chunks(times(99, "x") + "y")},
    {"trailers_are_dropped", with_trailer("X-Sum: 1\r\nKeep-Alive: timeout=5\r\n"), in_chunks("{}")},
};
INSTANTIATE_TEST_SUITE_P(Chunked, WholeResponse, ::testing::ValuesIn(in_pieces),
                         [](const auto& row) { return row.param.name; });

struct {
  const char* value;
  std::optional<std::chrono::seconds> timeout;
} const timeouts[] = {
    {"timeout=5", std::chrono::seconds{5}},
    {"Timeout=5", std::chrono::seconds{5}},
    {"timeout=0", std::chrono::seconds{0}},
    {"timeout=5, max=1000", std::chrono::seconds{5}},
    {"max=1000 ,timeout=005\t", std::chrono::seconds{5}},
    {"@ ( what, \"ever\";, timeout=5", std::chrono::seconds{5}},
    {"timeout=7, timeout=5, timeout=6", std::chrono::seconds{5}},
    {"timeout=x, timeout=5", std::chrono::seconds{5}},
    {"timeout=4294967295", std::chrono::seconds{4294967295}},
    {"timeout=4294967296", std::nullopt},
    {"timeout=", std::nullopt},
    {"timeout", std::nullopt},
    {"timeout =5", std::nullopt},
    {"timeout= 5", std::nullopt},
    {"timeout=+5", std::nullopt},
    {"timeout=-5", std::nullopt},
    {"timeout=5s", std::nullopt},
    {"timeout=5;max=2", std::nullopt},
    {"timeout=0x5", std::nullopt},
    {"timeout=\"5\"", std::nullopt},
    {"xtimeout=5", std::nullopt},
    {"5", std::nullopt},
    {",,", std::nullopt},
    {"", std::nullopt},
};

TEST(ResponseReader, reads_how_long_the_server_keeps_the_connection_and_refuses_nothing_for_it) {
  for (const auto& row : timeouts) {
    Said expected = empty("Keep-Alive="s + std::string(row.value).substr(0, std::string(row.value).find('\t')) + ";");
    if (row.timeout) expected = that_waits(expected, unsigned(row.timeout->count()));
    SCOPED_TRACE(row.value);
    expect_read(ok("Keep-Alive: "s + row.value + "\r\nContent-Length: 0\r\n"), false, expected);
  }
}

// ---- what only the close ends

TEST(ResponseReader, without_framing_reads_for_ever_and_keeps_no_connection) {
  const std::string bodies[] = {"", "{}", "0\r\n\r\n", ok("Content-Length: 0\r\n"), times(100, "x")};
  for (const std::string version : {"HTTP/1.1", "HTTP/1.0"}) {
    for (const std::string& body : bodies) {
      expect_read(
          version + " 500 x\r\nConnection: keep-alive\r\n\r\n" + body, false,
          {.headers_whole = true, .by_close = true, .status = 500, .fields = "Connection=keep-alive;", .body = body});
    }
  }
}

TEST(ResponseReader, without_framing_keeps_what_fits_of_a_body_that_is_too_large) {
  const Said said = read(ok("", times(150, "x")));
  EXPECT_EQ(said.state, State::too_large);
  EXPECT_EQ(said.body, times(100, "x"));
  expect_read(ok("", times(150, "x")), false, said);
}

// ---- bounds

TEST(ResponseReader, takes_just_as_many_bytes_of_headers_as_it_may) {
  struct {
    std::string bytes;
    std::size_t not_headers;
  } const rows[] = {
      {ok("Content-Length: 2\r\n", "{}"), 2},
      {"HTTP/1.1 100 Continue\r\nA: 1\r\n\r\n" + ok("Content-Length: 0\r\n"), 0},
      {chunked("2\r\n{}\r\n1\r\n \r\n0\r\nX: 1\r\n\r\n"), "{}\r\n \r\n"s.size()},
  };
  for (const auto& row : rows) {
    const std::size_t size = row.bytes.size() - row.not_headers;
    EXPECT_EQ(read(row.bytes, false, {size, 100}).state, State::whole);
    const Said refused = read(row.bytes, false, {size - 1, 100});
    EXPECT_EQ(refused.state, State::too_large);
    EXPECT_EQ(refused.reason, large_headers);
    expect_read(row.bytes, false, refused, {size - 1, 100});
  }
}

TEST(ResponseReader, refuses_a_line_of_headers_with_the_first_byte_too_many) {
  ResponseReader reader({20, 100}, false);
  EXPECT_EQ(reader.take("HTTP/1.1 200 OK\r\nA: "), State::reading);
  EXPECT_EQ(reader.take("b"), State::too_large);
}

TEST(ResponseReader, with_no_room_for_a_body_takes_a_response_without_one) {
  EXPECT_EQ(read(ok("Content-Length: 0\r\n"), false, {400, 0}).state, State::whole);
  EXPECT_EQ(read(chunked("0\r\n\r\n"), false, {400, 0}).state, State::whole);
  EXPECT_EQ(read(ok(""), false, {400, 0}).state, State::reading);
  EXPECT_EQ(read(ok("Content-Length: 1\r\n"), false, {400, 0}).state, State::too_large);
  EXPECT_EQ(read(chunked("1\r\n"), false, {400, 0}).state, State::too_large);
  EXPECT_EQ(read(ok("", "x"), false, {400, 0}).state, State::too_large);
}

TEST(ResponseReader, tells_the_status_of_a_response_whose_body_is_too_large) {
  for (const auto& bytes : {ok("Content-Length: 101\r\n"), chunked("65\r\n"), ok("", times(101, "x"))}) {
    const Said said = read(bytes);
    EXPECT_TRUE(said.headers_whole);
    EXPECT_EQ(said.status, 200);
    EXPECT_FALSE(said.keeps_alive);
  }
}

TEST(ResponseReader, takes_no_memory_for_a_length_that_is_only_promised) {
  ResponseReader reader({400, 1U << 30}, false);
  EXPECT_EQ(reader.take(ok("Content-Length: 1073741824\r\n")), State::reading);
  EXPECT_LE(reader.body().capacity(), 64U * 1024);
}

// ---- on the way

TEST(ResponseReader, has_begun_with_the_first_byte_and_its_headers_are_whole_with_the_blank_line) {
  ResponseReader reader(bounds, false);
  EXPECT_EQ(reader.take(""), State::reading);
  EXPECT_FALSE(reader.begun());
  reader.take("H");
  EXPECT_TRUE(reader.begun());
  reader.take("TTP/1.1 103 Hints\r\n\r\n");
  EXPECT_FALSE(reader.headers_whole());
  reader.take("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r");
  EXPECT_FALSE(reader.headers_whole());
  reader.take("\n");
  EXPECT_TRUE(reader.headers_whole());
  EXPECT_EQ(reader.take("{"), State::reading);
  EXPECT_FALSE(reader.keeps_alive());
  EXPECT_EQ(reader.take("}"), State::whole);
  EXPECT_TRUE(reader.keeps_alive());
  EXPECT_EQ(reader.take(""), State::whole);
  EXPECT_FALSE(reader.surplus());
  EXPECT_EQ(reader.take("x"), State::whole);
  EXPECT_TRUE(reader.surplus());
  EXPECT_FALSE(reader.keeps_alive());
}

TEST(ResponseReader, is_malformed_at_the_first_wrong_byte_behind_a_chunk) {
  ResponseReader reader(bounds, false);
  reader.take(chunked("2\r\n{}"));
  EXPECT_EQ(reader.take("x"), State::malformed);
}

TEST(ResponseReader, waits_after_interim_responses_alone) {
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n").state, State::reading);
  EXPECT_FALSE(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n").headers_whole);
}

TEST(ResponseReader, gives_its_headers_and_body_away) {
  ResponseReader reader(bounds, false);
  reader.take(ok("Content-Length: 2\r\nA: b\r\n", "{}"));
  const Headers headers = std::move(reader).headers();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[1].name, "A");
  EXPECT_EQ(headers[1].value, "b");
  EXPECT_EQ(std::move(reader).body(), "{}");
}

}  // namespace
}  // namespace connectid::detail
