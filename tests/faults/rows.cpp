#include "row_makers.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

namespace connectid::faults {
namespace {

using namespace std::chrono_literals;
using testing::Fault;
using testing::raw_response;
using testing::response;
using testing::Script;
using End = Fault::End;

Row status(int code, const std::string& outcome, const std::string& kind) {
  return scripted("status_" + std::to_string(code), "sends " + std::to_string(code),
                  response(code, R"({"exceptionType":"E","errorMessage":"m"})"), outcome, kind);
}

std::vector<Row> responses() {
  const std::string ok = R"({"status":"OK"})";
  return {
      scripted("ok", "sends 200 `{\"status\":\"OK\"}`", Script{}, started, ""),
      scripted("ok_without_status", "sends 200 `{}`", response(200, "{}"), started, ""),
      scripted("ok_status_null", "sends 200 `{\"status\":null}`", response(200, R"({"status":null})"), started, ""),
      scripted("ok_empty_content_length_0", "sends 200, empty, with `Content-Length: 0`",
               ok_with("Content-Length: 0\r\n", ""), started, ""),
      scripted("ok_empty_last_chunk", "sends 200, empty, with a last chunk",
               ok_with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), started, ""),
      scripted("ok_chunked_with_trailers", "sends 200 in chunks, with a trailer",
               ok_with("Transfer-Encoding: chunked\r\n", "f\r\n" + ok + "\r\n0\r\nX-Trailer: HTTP/1.1 400\r\n\r\n"),
               started, ""),
      scripted("ok_ended_by_the_close", "sends 200 without framing: whole JSON, then FIN", ok_with("", ok, End::fin),
               started, ""),
      scripted("ok_http_1_0", "sends HTTP/1.0 200, then FIN", raw_response("HTTP/1.0 200 OK\r\n\r\n" + ok, End::fin),
               started, ""),
      scripted("ok_after_interim_responses", "sends 103 and 102 first, then 200",
               raw_response("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" +
                            ok),
               started, ""),
      scripted("ok_byte_by_byte", "sends 200, slowly, byte by byte", testing::slow(1ms), started, ""),
      scripted("ok_empty_ended_by_the_close", "sends 200, empty, without framing, then FIN", ok_with("", "", End::fin),
               unknown, unexpected),
      scripted("ok_another_status", "sends 200 `{\"status\":\"FAILED\"}`", response(200, R"({"status":"FAILED"})"),
               unknown, unexpected),
      scripted("ok_success_false", "sends 200 with `success: false`",
               response(200, R"({"status":"OK","success":false})"), unknown, unexpected),
      scripted("ok_error_message", "sends 200 with an `errorMessage`", response(200, R"({"errorMessage":"m"})"),
               unknown, unexpected),
      scripted("ok_error_code", "sends 200 `{\"errorCode\":17,\"message\":\"no\"}`",
               response(200, R"({"errorCode":17,"message":"no"})"), unknown, unexpected),
      scripted("ok_list_of_errors", "sends 200 with a list of `errors`", response(200, R"({"errors":[{"code":1}]})"),
               unknown, unexpected),
      scripted("ok_status_in_another_case", "sends 200 `{\"Status\":\"FAILED\"}`",
               response(200, R"({"Status":"FAILED"})"), unknown, unexpected),
      scripted("ok_exception_type", "sends 200 with an `exceptionType`", response(200, R"({"exceptionType":"E"})"),
               unknown, unexpected),
      scripted("ok_html", "sends 200 with HTML (a captive portal)", response(200, "<html>log in</html>"), unknown,
               unexpected),
      scripted("ok_array", "sends 200 `[]`", response(200, "[]"), unknown, unexpected),
      scripted("ok_half_json_ended_by_the_close", "sends 200 without framing: half a JSON text, then FIN",
               ok_with("", R"({"status":"O)", End::fin), unknown, unexpected),
      scripted("ok_broken_gzip", "sends 200 in a gzip coding, which nobody asked for, and it is broken",
               ok_with("Content-Encoding: gzip\r\nContent-Length: 15\r\n", ok), unknown, transport),
      status(201, unknown, unexpected),
      status(202, unknown, unexpected),
      scripted("status_204", "sends 204", raw_response("HTTP/1.1 204 No Content\r\n\r\n"), unknown, unexpected),
      status(400, rejected, "bad_request"),
      scripted("status_400_html", "sends 400 with HTML", response(400, "<html>no</html>"), rejected, "bad_request"),
      scripted("status_400_truncated", "sends 400; its body is cut by FIN",
               raw_response("HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\nhalf", End::fin), rejected,
               "bad_request"),
      status(401, rejected, "unauthorized"),
      status(403, rejected, "forbidden"),
      status(404, rejected, "rejected"),
      status(407, rejected, "rejected"),
      status(408, unknown, unexpected),
      scripted("status_403_html", "sends 403 with HTML: a gateway that inspects the application's response",
               response(403, "<html>denied</html>"), unknown, unexpected),
      scripted("status_403_empty", "sends 403, empty", raw_response("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
               unknown, unexpected),
      scripted("status_403_oauth_error", "sends 403 with an OAuth `error`",
               response(403, R"({"error":"insufficient_scope"})"), rejected, "forbidden"),
      status(409, unknown, unexpected),
      status(444, unknown, unexpected),
      status(460, unknown, unexpected),
      status(425, rejected, "rejected"),
      status(499, unknown, unexpected),
      status(500, unknown, "server_error"),
      scripted("status_502_html", "sends 502 with HTML", response(502, "<html>bad gateway</html>"), unknown,
               "server_error"),
      status(503, unknown, "server_error"),
      status(599, unknown, "server_error"),
      scripted("status_600", "sends 600", raw_response("HTTP/1.1 600 What\r\nContent-Length: 0\r\n\r\n"), unknown,
               unexpected),
      scripted("status_999", "sends 999", raw_response("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), unknown,
               unexpected),
      scripted("status_100_as_final", "sends 100, then FIN", raw_response("HTTP/1.1 100 Continue\r\n\r\n", End::fin),
               unknown, transport),
      scripted("status_101", "sends 101 to a request that asked for no upgrade, then FIN",
               raw_response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", End::fin),
               unknown, transport),
  };
}

/// Framing that contradicts itself, or that lenient readers take otherwise than it is meant: no success may rest on it.
std::vector<Row> framings() {
  const std::string ok = R"({"status":"OK"})";
  const std::string failed = R"({"success":false})";
  const auto row = [](std::string name, const std::string& what, const std::string& headers, const std::string& body) {
    return scripted(std::move(name), "sends 200 with " + what, ok_with(headers, body, End::fin), unknown, transport);
  };
  const std::string gzip_head("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10);
  return {
      row("coding_identity_empty", "`Transfer-Encoding: identity`, empty, then FIN", "Transfer-Encoding: identity\r\n",
          ""),
      row("coding_identity_with_length", "`Transfer-Encoding: identity` and a length, empty, then FIN",
          "Transfer-Encoding: identity\r\nContent-Length: 15\r\n", ""),
      row("coding_unknown", "an unknown `Transfer-Encoding`, then FIN", "Transfer-Encoding: foo\r\n", ok),
      row("two_codings", "`Transfer-Encoding` twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
          "f\r\n" + ok + "\r\n0\r\n\r\n"),
      row("two_lengths", "two lengths that differ", "Content-Length: 17\r\nContent-Length: 0\r\n", failed),
      row("length_list", "`Content-Length: 0, 17`", "Content-Length: 0, 17\r\n", failed),
      row("length_hexadecimal", "`Content-Length: 0x11`", "Content-Length: 0x11\r\n", failed),
      row("length_signed", "`Content-Length: +0`", "Content-Length: +0\r\n", failed),
      row("length_too_large", "a length of twenty digits", "Content-Length: 99999999999999999999\r\n", ok),
      row("gzip_head_alone", "the head of a gzip stream and no more of it",
          "Content-Encoding: gzip\r\nContent-Length: 10\r\n", gzip_head),
      row("gzip_head_alone_in_chunks", "the head of a gzip stream in chunks and no more of it",
          "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "a\r\n" + gzip_head + "\r\n0\r\n\r\n"),
      scripted("field_like_a_400", "sends 500 with what is a 400's status line rather than a field",
               raw_response("HTTP/1.1 500 Oops\r\nHTTP/1.1 400: x\r\nContent-Length: 0\r\n\r\n"), unknown, transport),
      scripted("field_like_a_200", "sends 500 with what is a 200's status line rather than a field",
               raw_response("HTTP/1.1 500 Oops\r\nHTTP/x 200: x\r\nContent-Length: 0\r\n\r\n"), unknown, transport),
      scripted("status_of_four_digits", "sends `HTTP/2 4004`, then FIN",
               raw_response("HTTP/2 4004 x\r\nContent-Length: 0\r\n\r\n", End::fin), unknown, transport),
      row("space_before_the_colon", "a space between `Content-Length` and its colon, then FIN",
          "Content-Length : 19\r\n", ""),
      row("space_before_the_codings_colon", "a space between `Transfer-Encoding` and its colon, then FIN",
          "Transfer-Encoding : chunked\r\n", ""),
      row("folded_length", "a `Content-Length` on a folded line, then FIN", "X-A: b\r\n Content-Length: 0\r\n", ""),
      row("folded_length_value", "a folded line that continues `Content-Length`, then FIN",
          "Content-Length: 0\r\n 19\r\n", failed),
      scripted("folded_first_line", "sends 200 with a folded line before any field",
               raw_response("HTTP/1.1 200 OK\r\n X-A: b\r\nContent-Length: 15\r\n\r\n" + ok), unknown, transport),
      row("chunk_size_hexadecimal", "a chunk size of `0x15`", "Transfer-Encoding: chunked\r\n",
          "0x15\r\n{\"status\":\"FAILED\"}\r\n\r\n0\r\n\r\n"),
      scripted("length_in_an_interim_response", "sends 103 with a length, then 200 without framing, then FIN",
               raw_response("HTTP/1.1 103 Hints\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{} ", End::fin),
               unknown, transport),
      scripted("chunks_in_http_1_0", "sends HTTP/1.0 200 in chunks",
               raw_response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", End::fin), unknown,
               transport),
      scripted("status_with_a_letter", "sends `200x`, then FIN",
               raw_response("HTTP/1.1 200x OK\r\nContent-Length: 0\r\n\r\n", End::fin), unknown, transport),
  };
}

/// Redirects to a server that would take the bearer; it must never come to know it.
Row redirect(int code) {
  return {.name = "status_" + std::to_string(code) + "_to_another_host",
          .what = "sends " + std::to_string(code) + " to another host: not followed, the bearer does not arrive there",
          .outcome = unknown,
          .kind = unexpected,
          .arm =
              [code](Bench& bench) {
                bench.server.next(response(code, "", {{"Location", bench.elsewhere.url() + "/v1/subscription"}}));
              },
          .verify = [](Bench& bench) { EXPECT_EQ(bench.elsewhere.gate().connections(), 0U); }};
}

std::vector<Row> cuts() {
  return {
      scripted("fin_before_the_response", "reads the request, acts, and closes", testing::started_but_response_lost(),
               unknown, transport),
      scripted("rst_before_the_response", "reads the request, acts, and resets",
               testing::started_but_response_lost(End::reset), unknown, transport),
      scripted("fin_before_acting", "reads the request and closes without acting", testing::lost_before_acting(),
               unknown, transport),
      scripted("rst_before_acting", "reads the request and resets without acting",
               testing::lost_before_acting(End::reset), unknown, transport),
      scripted("gone", "reads the request, acts, closes, and would refuse another connection: none is tried",
               testing::gone(), unknown, transport),
      scripted("half_a_status_line", "sends half a status line, then FIN", raw_response("HTTP/1.1 2", End::fin),
               unknown, transport),
      scripted("half_a_header_section", "sends half a header section, then FIN",
               raw_response("HTTP/1.1 200 OK\r\nContent-Le", End::fin), unknown, transport),
      scripted("half_a_header_section_rst", "sends half a header section, then RST",
               raw_response("HTTP/1.1 200 OK\r\nContent-Le", End::reset), unknown, transport),
      scripted("headers_without_the_blank_line", "sends all headers but not the blank line, then FIN",
               raw_response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", End::fin), unknown, transport),
      scripted("half_a_400_header_section", "sends half a 400's header section, then FIN",
               raw_response("HTTP/1.1 400 Bad Request\r\nContent-Le", End::fin), unknown, transport),
      scripted("half_a_body", "sends 200 with half of what `Content-Length` says, then FIN",
               ok_with("Content-Length: 15\r\n", R"({"stat)", End::fin), unknown, transport),
      scripted("half_a_body_rst", "sends 200 with half of what `Content-Length` says, then RST",
               ok_with("Content-Length: 15\r\n", R"({"stat)", End::reset), unknown, transport),
      scripted("whole_json_short_of_its_length",
               "sends 200 with whole JSON, but less than `Content-Length` says, then FIN",
               ok_with("Content-Length: 16\r\n", R"({"status":"OK"})", End::fin), unknown, transport),
      scripted("no_last_chunk", "sends 200 in chunks, then FIN before the last one",
               ok_with("Transfer-Encoding: chunked\r\n", "f\r\n{\"status\":\"OK\"}\r\n", End::fin), unknown, transport),
      scripted("garbage", "sends what is not HTTP", testing::garbage(), unknown, transport),
      made(
          "endless_headers", "sends a megabyte of headers",
          [] {
            std::string lines = "HTTP/1.1 200 OK\r\n";
            for (int i = 0; i < 20000; ++i)
              lines += "X-Padding-" + std::to_string(i) + ": ........................\r\n";
            return raw_response(lines);
          },
          unknown, transport),
      made(
          "endless_interim_responses", "sends 103 again and again",
          [] {
            std::string lines;
            for (int i = 0; i < 20000; ++i) lines += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
            return raw_response(lines);
          },
          unknown, transport),
      made(
          "huge_body", "sends 200 with a `Content-Length` of 4 MiB, and so many",
          [] { return ok_with("Content-Length: 4194304\r\n", "{" + std::string((4 << 20) - 2, ' ') + "}"); }, unknown,
          transport),
      made(
          "huge_body_without_framing", "sends 200 with 4 MiB that only the close ends",
          [] { return ok_with("", "{" + std::string((4 << 20) - 2, ' ') + "}", End::fin); }, unknown, transport),
      made(
          "huge_body_in_chunks", "sends 200 with 4 MiB in one chunk",
          [] {
            return ok_with("Transfer-Encoding: chunked\r\n",
                           "400000\r\n{" + std::string((4 << 20) - 2, ' ') + "}\r\n0\r\n\r\n");
          },
          unknown, transport),
      {.name = "request_truncated_in_its_body",
       .what = "closes while the request's body is coming in",
       .outcome = unknown,
       .kind = transport,
       .bodies = 0,
       .arm =
           [](Bench& bench) {
             // So far in that a byte of the body was read.
             bench.server.next(testing::truncate_request_at(size_of_a_start(bench.choices) - 5));
           }},
  };
}

Row waits(std::string name, std::string what, Script script, std::string outcome, std::string kind,
          std::function<void(Choices&)> choose) {
  Row row = scripted(std::move(name), std::move(what), std::move(script), std::move(outcome), std::move(kind));
  row.choose = std::move(choose);
  return row;
}

std::vector<Row> times() {
  // Long enough to come to where the silence is.
  constexpr auto a_while = 300ms * CONNECTID_TEST_PATIENCE;
  const auto short_call = [=](Choices& choices) { choices.call.timeout = a_while; };
  const auto short_attempt = [=](Choices& choices) { choices.call.attempt_timeout = a_while; };
  const std::string half_ok = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\"";
  return {
      waits("silence_until_the_deadline", "reads the request and says nothing until the call's time is up",
            testing::silent(), unknown, "deadline_exceeded", short_call),
      waits("silence_until_the_attempts_time_is_up",
            "reads the request and says nothing until the attempt's time is up", testing::silent(), unknown, transport,
            short_attempt),
      waits("silence_in_the_headers", "falls silent in the middle of the headers",
            raw_response("HTTP/1.1 200 OK\r\nCon", End::silence), unknown, "deadline_exceeded", short_call),
      waits("silence_in_the_body", "falls silent in the middle of the body", raw_response(half_ok, End::silence),
            unknown, "deadline_exceeded", short_call),
      waits("silence_after_whole_json_without_framing",
            "sends whole JSON without framing and keeps the connection open",
            ok_with("", R"({"status":"OK"})", End::silence), unknown, "deadline_exceeded", short_call),
      waits("silence_in_the_body_of_a_400", "sends 400 and falls silent in the body",
            raw_response("HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\n\r\n{", End::silence), rejected,
            "bad_request", short_call),
      {.name = "no_time_at_all",
       .what = "is never asked: the call has no time left before it begins",
       .outcome = not_sent,
       .kind = "deadline_exceeded",
       .attempts = 0,
       .bodies = 0,
       .variants = fresh,
       .choose = [](Choices& choices) { choices.call.timeout = 0ms; }},
      {.name = "cancelled_before_the_body_left",
       .what = "is never asked: the call is cancelled before it begins",
       .outcome = not_sent,
       .kind = "cancelled",
       .attempts = 0,
       .bodies = 0,
       .arm = [](Bench& bench) { bench.stop.request_stop(); }},
      {.name = "cancelled_after_the_body_left",
       .what = "reads the request; then the call is cancelled",
       .outcome = unknown,
       .kind = "cancelled",
       .arm =
           [](Bench& bench) {
             const std::size_t before = bench.server.bodies_received();
             bench.server.next(testing::silent());
             bench.helper = std::jthread([&bench, before] {
               EXPECT_TRUE(bench.server.wait_for_bodies(before + 1, 20s));
               bench.stop.request_stop();
             });
           }},
  };
}

std::vector<Row> connections() {
  const auto closed = [](End how) {
    return [how](Bench& bench) { ASSERT_EQ(bench.server.gate().close_connections(how), 1U); };
  };
  return {
      {.name = "refused",
       .what = "refuses the connection",
       .outcome = not_sent,
       .kind = transport,
       .attempts = 2,
       .more_attempts = true,
       .bodies = 0,
       .variants = fresh,
       .choose = connect_briefly,
       .arm = [](Bench& bench) { bench.server.gate().stop_listening(); }},
      {.name = "idle_connection_closed",
       .what = "closed the idle connection: it is replaced, one body arrives",
       .outcome = started,
       .kind = "",
       .more_connections = 1,
       .variants = reused,
       .arm = closed(End::fin)},
      {.name = "idle_connection_reset",
       .what = "reset the idle connection: it is replaced, one body arrives",
       .outcome = started,
       .kind = "",
       .more_connections = 1,
       .variants = reused,
       .arm = closed(End::reset)},
      {.name = "idle_connection_closed_and_gone",
       .what = "closed the idle connection and refuses new ones",
       .outcome = not_sent,
       .kind = transport,
       .attempts = 2,
       .more_attempts = true,
       .bodies = 0,
       .variants = reused,
       .choose = connect_briefly,
       .arm =
           [](Bench& bench) {
             bench.server.gate().stop_listening();
             ASSERT_EQ(bench.server.gate().close_connections(End::fin), 1U);
           }},
  };
}

std::vector<Row> tls_rows() {
  const auto row = [](std::string name, std::string what, std::function<void(Choices&)> choose) {
    return Row{.name = std::move(name),
               .what = std::move(what),
               .outcome = not_sent,
               .kind = transport,
               .bodies = 0,
               .variants = fresh_tls,
               .choose = std::move(choose)};
  };
  return {
      row("certificate_expired", "shows a certificate that has expired",
          [](Choices& choices) {
            choices.server.certificate.valid_from = -48h;
            choices.server.certificate.valid_for = -24h;
          }),
      row("certificate_not_yet_valid", "shows a certificate that is not valid yet",
          [](Choices& choices) {
            choices.server.certificate.valid_from = 24h;
            choices.server.certificate.valid_for = 48h;
          }),
      row("certificate_of_another_host", "shows a certificate of another host",
          [](Choices& choices) { choices.server.certificate.hosts = {"api.example"}; }),
      row("certificate_of_an_unknown_authority", "shows a certificate of an authority that is not trusted",
          [](Choices& choices) { choices.curl.ca_pem = testing::make_certificate().authority; }),
  };
}

/// A proxy for TLS that answers CONNECT with `response`, and so many bytes behind it. It is a gate before the server
/// that nothing may reach.
Row proxy(std::string name, std::string what, std::string result, bool final, std::size_t more = 0) {
  auto gate = std::make_shared<std::unique_ptr<testing::FaultGate>>();
  return {.name = std::move(name),
          .what = std::move(what),
          .outcome = not_sent,
          .kind = transport,
          .attempts = final ? 1 : 2,
          .more_attempts = !final,
          .bodies = 0,
          .variants = fresh_tls,
          .choose =
              [gate, result, more](Choices& choices) {
                static testing::FakeServer behind;
                connect_briefly(choices);
                *gate = std::make_unique<testing::FaultGate>(
                    behind.gate().port(),
                    testing::FaultGate::Options{.plan = [result, more](const testing::FaultGate::Position&) {
                      Fault fault;
                      fault.response = result + std::string(more, 'x');
                      fault.end = End::fin;
                      return fault;
                    }});
                choices.curl.proxy = "http://user:hunter2-password@127.0.0.1:" + std::to_string((*gate)->port());
              },
          .verify =
              [gate, final](Bench& bench) {
                if (final) EXPECT_EQ((*gate)->exchanges(), 1U);
                EXPECT_GE((*gate)->exchanges(), final ? 1U : 2U);
                EXPECT_EQ(bench.server.gate().connections(), 0U);
                gate->reset();
              }};
}

std::vector<Row> proxies() {
  return {
      proxy("proxy_refuses_connect_403", "is not reached: the proxy answers CONNECT with 403",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", true),
      proxy("proxy_refuses_connect_407", "is not reached: the proxy answers CONNECT with 407",
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: "
            "0\r\n\r\n",
            true),
      proxy("proxy_answers_connect_502", "is not reached: the proxy answers CONNECT with 502",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", false),
      proxy("proxy_truncates_connect", "is not reached: the proxy closes in the middle of its response to CONNECT",
            "HTTP/1.1 2", false),
      [] {
        Row row = proxy("proxy_floods",
                        "is not reached: the proxy answers CONNECT with 407 and a body that does not end in time",
                        "HTTP/1.1 407 No\r\nContent-Length: 99999999999\r\n\r\n", true, 64 << 20);
        row.kind = "deadline_exceeded";
        row.choose = [choose = row.choose](Choices& choices) {
          choose(choices);
          choices.call.timeout = 1s;
        };
        row.verify = [verify = row.verify](Bench& bench) {
          EXPECT_LT(bench.took, 5s) << "the deadline was not looked at while the proxy's response was read";
          verify(bench);
        };
        return row;
      }(),
      {.name = "proxy_of_a_scheme_that_is_none",
       .what = "is not reached: the proxy's URL begins with ftp:// (its password is not shown)",
       .outcome = not_sent,
       .kind = "configuration_error",
       .bodies = 0,
       .variants = fresh_tls,
       .choose = [](Choices& choices) { choices.curl.proxy = "ftp://user:hunter2-password@127.0.0.1:1"; }},
      {.name = "proxy_unreachable",
       .what = "is not reached: the proxy refuses the connection",
       .outcome = not_sent,
       .kind = transport,
       .attempts = 2,
       .more_attempts = true,
       .bodies = 0,
       .variants = fresh_tls,
       .choose =
           [](Choices& choices) {
             connect_briefly(choices);
             static testing::FaultGate gone(1);  // whose port is given to nobody else
             gone.stop_listening();
             choices.curl.proxy = "http://127.0.0.1:" + std::to_string(gone.port());
           }},
      {.name = "http_proxy_is_set",
       .what = "is called over plain http with `http_proxy` and `all_proxy` set: nothing arrives at the proxy",
       .outcome = started,
       .kind = "",
       .variants = plain,
       .arm =
           [](Bench& bench) {
             for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"})
               setenv(name, bench.elsewhere.url().c_str(), 1);
           },
       .verify =
           [](Bench& bench) {
             for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
             EXPECT_EQ(bench.elsewhere.gate().connections(), 0U);
           }},
  };
}

}  // namespace

std::size_t size_of_a_start(const Choices& choices) {
  testing::FakeServer server(choices.server);
  http::CurlOptions curl = choices.curl;
  curl.ca_pem = server.ca_pem();
  const SubscriptionClient client({.environment = server.environment(),
                                   .token_source = static_token(choices.server.access_token),
                                   .transport = std::make_shared<http::CurlTransport>(curl)});
  EXPECT_TRUE(client.start(valid_request));
  const auto seen = server.received().front();
  std::size_t size = seen.method.size() + seen.path.size() + sizeof("  HTTP/1.1\r\n\r\n") - 1 + seen.body.size();
  for (const auto& header : seen.headers) size += header.name.size() + header.value.size() + 4;
  return size;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> list;
    for (auto&& part :
         {responses(), std::vector<Row>{redirect(301), redirect(302), redirect(303), redirect(307), redirect(308)},
          framings(), strict_reading(), cuts(), early_responses(), strays(), times(), connections(), dead_connections(),
          tls_rows(), proxies(), repeats()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

std::string markdown() {
  std::string text =
      "# What becomes of a start when things go wrong\n\n"
      "Generated from the fault matrix in `tests/faults`, whose every row is run against a server on "
      "loopback;\n"
      "a test fails when this page is not current. The client has the default `RetryPolicy` unless the row names "
      "another.\n"
      "*Attempts* is how often the request was given to the transport (+: or more often, for as long as connecting is\n"
      "tried), *bodies* how many request bodies the server got "
      "whole.\n"
      "In no row was more than one subscription started. Fresh: the call opens the connection. Reused: a start went "
      "well on\n"
      "it before.\n\n"
      "| the server (or what stands before it) … | outcome | kind | attempts | bodies | plain fresh | plain reused | "
      "TLS "
      "fresh | TLS reused |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Row& row : rows()) {
    text += "| " + row.what + " | **" + row.outcome + "** | " + (row.kind.empty() ? "" : "`" + row.kind + "`") + " | " +
            std::to_string(row.attempts) + (row.more_attempts ? "+" : "") + " | " + std::to_string(row.bodies);
    for (const Variant variant : {fresh_plain, reused_plain, fresh_tls, reused_tls}) {
      text += row.variants & variant ? " | ✓" : " | –";
    }
    text += " |\n";
  }
  const auto tested = [](int sum, const Row& row) { return sum + __builtin_popcount(row.variants); };
  text += "\n" + std::to_string(rows().size()) + " kinds, " +
          std::to_string(std::accumulate(rows().begin(), rows().end(), 0, tested)) + " rows run.\n";
  return text;
}

}  // namespace connectid::faults
