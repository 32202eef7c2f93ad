// Responses that two readers could take in two ways: nothing of them is believed, be it good news or bad.
#include "row_makers.hpp"

namespace connectid::faults {
namespace {

using namespace std::string_literals;
using testing::Fault;
using testing::raw_response;
using testing::Script;
using End = Fault::End;

/// It is said by a server that has acted.
Row not_believed(std::string name, std::string what, std::string bytes, End end = End::fin) {
  return scripted(std::move(name), "sends " + std::move(what), raw_response(std::move(bytes), end), unknown, transport);
}

Row ok(std::string name, const std::string& what, const std::string& headers, const std::string& body) {
  return not_believed(std::move(name), "200 with " + what,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + headers + "\r\n" + body);
}

Row in_chunks(std::string name, const std::string& what, const std::string& body) {
  return ok("chunks_" + std::move(name), what, "Transfer-Encoding: chunked\r\n", body);
}

/// The status line, and an empty body.
Row begun_with(std::string name, const std::string& what, const std::string& line) {
  return not_believed("status_line_" + std::move(name), what, line + "\r\nContent-Length: 0\r\n\r\n");
}

std::vector<Row> status_lines() {
  return {
      begun_with("of_http_2", "`HTTP/2.0 200`", "HTTP/2.0 200 OK"),
      begun_with("of_http_1_2", "`HTTP/1.2 200`", "HTTP/1.2 200 OK"),
      begun_with("in_lower_case", "`http/1.1 200`", "http/1.1 200 OK"),
      begun_with("after_a_line_break", "a line break, then 200", "\r\nHTTP/1.1 200 OK"),
      begun_with("with_two_spaces", "`HTTP/1.1  200`, with two spaces", "HTTP/1.1  200 OK"),
      begun_with("with_99", "a status of 99", "HTTP/1.1 99 What"),
      begun_with("with_099", "a status of 099", "HTTP/1.1 099 What"),
      begun_with("with_1000", "a status of 1000", "HTTP/1.1 1000 What"),
      begun_with("with_a_sign", "a status of +20", "HTTP/1.1 +20 What"),
      begun_with("without_a_status", "no status", "HTTP/1.1"),
      begun_with("with_a_control_character", "200 and a control character", "HTTP/1.1 200 O\x01K"),
      not_believed("status_line_with_a_bare_lf", "200, its status line ended by a bare LF",
                   "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
  };
}

std::vector<Row> header_lines() {
  return {
      ok("header_with_a_bare_lf", "a header line that ends in a bare LF", "X-A: b\nContent-Length: 0\r\n", ""),
      not_believed("headers_ended_by_a_bare_lf", "200 and a blank line that is a bare LF",
                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"),
      ok("header_with_a_bare_cr", "a bare CR in a header", "X-A: b\rContent-Length: 0\r\nContent-Length: 0\r\n", ""),
      ok("header_with_a_nul", "a NUL in a header", "X-A: b\0c\r\nContent-Length: 0\r\n"s, ""),
      ok("header_without_a_name", "a header without a name", ": b\r\nContent-Length: 0\r\n", ""),
      ok("header_without_a_colon", "a header line without a colon", "X-A\r\nContent-Length: 0\r\n", ""),
      ok("header_with_a_space_in_its_name", "a space in a header's name", "X A: b\r\nContent-Length: 0\r\n", ""),
      ok("folded_with_a_tab", "a folded line that begins with a tab", "X-A: b\r\n\tc\r\nContent-Length: 0\r\n", ""),
      ok("connection_that_is_no_token", "a `Connection` that is no token",
         "Connection: \"close\"\r\nContent-Length: 0\r\n", ""),
      ok("connection_that_is_empty", "an empty `Connection`", "Connection: \r\nContent-Length: 0\r\n", ""),
      not_believed("headers_ended_by_a_lone_cr", "200, and FIN after the CR of the blank line",
                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r"),
      not_believed("header_line_truncated_by_the_close", "200, and FIN in the middle of a header line",
                   "HTTP/1.1 200 OK\r\nContent-Length: 15"),
      not_believed("header_line_truncated_before_its_lf", "400, and FIN before the LF of a header line",
                   "HTTP/1.1 400 No\r\nContent-Length: 0\r"),
  };
}

std::vector<Row> lengths_and_codings() {
  const std::string chunked = "f\r\n" + ok_body + "\r\n0\r\n\r\n";
  return {
      ok("length_twice_in_a_list", "`Content-Length: 15, 15`", "Content-Length: 15, 15\r\n", ok_body),
      ok("length_twice", "the same `Content-Length` twice", "Content-Length: 15\r\nContent-Length: 15\r\n", ok_body),
      ok("length_that_is_empty", "an empty `Content-Length`", "Content-Length: \r\n", ""),
      ok("length_that_is_negative", "`Content-Length: -1`", "Content-Length: -1\r\n", ok_body),
      ok("length_with_a_fraction", "`Content-Length: 15.0`", "Content-Length: 15.0\r\n", ok_body),
      ok("both_lengths", "`Content-Length`, then `Transfer-Encoding`",
         "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n", chunked),
      ok("both_lengths_the_other_way", "`Transfer-Encoding`, then `Content-Length`",
         "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", chunked),
      ok("gzip_in_chunks", "`Transfer-Encoding: gzip, chunked`", "Transfer-Encoding: gzip, chunked\r\n", chunked),
      ok("chunked_twice", "`Transfer-Encoding: chunked, chunked`", "Transfer-Encoding: chunked, chunked\r\n", chunked),
      ok("chunked_with_a_parameter", "`Transfer-Encoding: chunked;x=y`", "Transfer-Encoding: chunked;x=y\r\n", chunked),
      not_believed("chunks_in_a_204", "204 in chunks",
                   "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      not_believed("chunks_in_an_interim_response", "103 in chunks, then 200",
                   "HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
      ok("coding_that_nobody_asked_for", "whole JSON in a content coding",
         "Content-Encoding: br\r\nContent-Length: 15\r\n", ok_body),
  };
}

std::vector<Row> chunks() {
  const std::string chunk = "f\r\n" + ok_body + "\r\n";
  return {
      in_chunks("with_an_error_for_a_size", "chunks, the last one's size `0, internal error`",
                chunk + "0, internal error\r\n\r\n"),
      in_chunks("with_an_extension", "a chunk extension", "f;x=y\r\n" + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("with_an_extension_at_the_end", "an extension of the last chunk", chunk + "0;error=1\r\n\r\n"),
      in_chunks("with_a_space_after_the_size", "a space behind a chunk's size", "f \r\n" + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("with_a_sign", "a chunk size of `+f`", "+f\r\n" + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("without_a_size", "an empty line for a chunk's size", "\r\n" + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("with_a_size_of_17_digits", "a chunk size of seventeen digits",
                "0000000000000000f\r\n" + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("with_a_size_too_large", "a chunk size of 2^64 - 1", "ffffffffffffffff\r\n" + ok_body + "\r\n"),
      in_chunks("with_wrong_bytes_behind", "other bytes than a line break behind a chunk",
                "f\r\n" + ok_body + "xx0\r\n\r\n"),
      in_chunks("with_a_bare_lf_behind", "a bare LF behind a chunk", "f\r\n" + ok_body + "\n0\r\n\r\n"),
      in_chunks("with_a_bare_lf_after_the_size", "a bare LF behind a chunk's size", "f\n" + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("longer_than_their_size", "a chunk that is longer than its size",
                "2\r\n{}\r\n" + std::string("2\r\n") + ok_body + "\r\n0\r\n\r\n"),
      in_chunks("with_a_length_in_a_trailer", "a `Content-Length` in a trailer",
                chunk + "0\r\nContent-Length: 15\r\n\r\n"),
      in_chunks("with_a_coding_in_a_trailer", "a `Transfer-Encoding` in a trailer",
                chunk + "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
      in_chunks("with_an_error_for_a_trailer", "what is no field in the trailers",
                chunk + "0\r\ninternal server error\r\n\r\n"),
      in_chunks("truncated_in_a_trailer", "a trailer, and FIN instead of the blank line",
                chunk + "0\r\nX-Trailer: x\r\n"),
      in_chunks("truncated_after_the_last", "a last chunk, and FIN instead of the blank line", chunk + "0\r\n"),
  };
}

/// A refusal is believed no more than a success: what else it says is not heeded.
std::vector<Row> refusals() {
  const auto row = [](std::string name, const std::string& what, std::string bytes) {
    return scripted(std::move(name), "sends " + what, refused_with(std::move(bytes), End::fin), unknown, transport);
  };
  std::vector<Row> list = {
      row("status_400_with_both_lengths", "400 with both lengths",
          "HTTP/1.1 400 No\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      row("status_400_with_a_bare_lf", "400 with a bare LF", "HTTP/1.1 400 No\nContent-Length: 0\r\n\r\n"),
      row("status_400_with_a_bad_chunk", "400 with a chunk size that is none",
          "HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
      row("status_429_folded", "429 with `Retry-After: 0` on a folded line",
          "HTTP/1.1 429 Slow\r\nX-A: b\r\n Retry-After: 0\r\nContent-Length: 0\r\n\r\n"),
      row("status_429_with_two_lengths", "429 with `Retry-After: 0` and two lengths",
          "HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"),
      row("status_401_with_a_nul", "401 with a challenge and a NUL (the token source has another token)",
          "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\0\r\nContent-Length: 0\r\n\r\n"s),
  };
  list.back().choose = [](Choices& choices) { choices.token_source = first_then(good_token, "another-canary"); };
  return list;
}

/// What is unusual and yet can be read in one way.
std::vector<Row> readable() {
  const auto row = [](std::string name, const std::string& what, std::string bytes) {
    return scripted(std::move(name), "sends 200 " + what, raw_response(std::move(bytes)), started, "");
  };
  return {
      row("ok_without_a_reason", "without a reason phrase", "HTTP/1.1 200\r\nContent-Length: 15\r\n\r\n" + ok_body),
      row("ok_with_a_length_of_three_digits", "with `Content-Length: 015`",
          "HTTP/1.1 200 OK\r\nContent-Length: 015\r\n\r\n" + ok_body),
      row("ok_in_upper_case", "with header names and `CHUNKED` in upper case",
          "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\nF\r\n" + ok_body + "\r\n0\r\n\r\n"),
      row("ok_in_chunks_of_a_byte", "in chunks of one byte",
          [] {
            std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            for (const char byte : ok_body) bytes += "1\r\n" + std::string(1, byte) + "\r\n";
            return bytes + "0\r\n\r\n";
          }()),
      row("ok_with_identity", "with `Content-Encoding: identity`",
          "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 15\r\n\r\n" + ok_body),
      scripted("status_400_in_a_coding", "sends 400 in a content coding",
               refused_with("HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"),
               rejected, "bad_request"),
  };
}

}  // namespace

std::vector<Row> strict_reading() {
  std::vector<Row> list;
  for (auto&& part : {status_lines(), header_lines(), lengths_and_codings(), chunks(), refusals(), readable()}) {
    list.insert(list.end(), part.begin(), part.end());
  }
  return list;
}

}  // namespace connectid::faults
