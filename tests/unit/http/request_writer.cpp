// A request byte by byte: what a server and each gateway before it must read in one way only.
#include "http/request_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "http/url.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONNECTID_ALLOCATIONS_ARE_SEEN 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONNECTID_ALLOCATIONS_ARE_SEEN 0
#endif
#endif
#ifndef CONNECTID_ALLOCATIONS_ARE_SEEN
#define CONNECTID_ALLOCATIONS_ARE_SEEN 1
#endif

namespace {

/// What this thread asked operator new for, while somebody looks.
thread_local std::vector<std::size_t>* asked_for = nullptr;

}  // namespace

#if CONNECTID_ALLOCATIONS_ARE_SEEN  // a sanitizer has an operator new of its own
void* operator new(std::size_t size) {
  if (auto* sizes = std::exchange(asked_for, nullptr)) {  // the vector asks, too
    sizes->push_back(size);
    asked_for = sizes;
  }
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace connectid::detail {
namespace {

using namespace http;

std::string written(const Request& request, const std::string& url = "https://api.example/capi/v1") {
  return std::string(write_request(request, parse_url(url)).bytes());
}

TEST(RequestWriter, a_post_with_a_body_is_these_bytes) {
  EXPECT_EQ(written({.method = "POST",
                     .url = "",
                     .headers = {{"Accept", "application/json"}, {"X-Request-Id", "a-1"}},
                     .authorization = "Bearer canary",
                     .body = R"({"copies":1})"}),
            "POST /capi/v1 HTTP/1.1\r\n"
            "Host: api.example\r\n"
            "Accept: application/json\r\n"
            "X-Request-Id: a-1\r\n"
            "Authorization: Bearer canary\r\n"
            "Accept-Encoding: identity\r\n"
            "Content-Length: 12\r\n"
            "\r\n"
            R"({"copies":1})");
}

TEST(RequestWriter, a_get_is_these_bytes) {
  EXPECT_EQ(written({.method = "GET"}),
            "GET /capi/v1 HTTP/1.1\r\nHost: api.example\r\nAccept-Encoding: identity\r\n\r\n");
}

TEST(RequestWriter, a_body_is_written_as_it_is_whatever_bytes_are_in_it) {
  const std::string body("\0\r\n\r\nHTTP/1.1 \xff", 15);
  const std::string bytes = written({.method = "POST", .body = body});
  EXPECT_TRUE(bytes.ends_with("\r\nContent-Length: 15\r\n\r\n" + body));
}

// RFC 9110 section 8.6: a method that gives content a meaning says 0, another says nothing.
struct LengthCase {
  const char* method;
  const char* body;
  const char* line;  ///< empty: none
};
class ContentLength : public ::testing::TestWithParam<LengthCase> {};
TEST_P(ContentLength, is_said_once_where_the_method_or_a_body_asks_for_it) {
  const std::string bytes = written({.method = GetParam().method, .body = GetParam().body});
  const std::string line = GetParam().line;
  const std::string end = "Accept-Encoding: identity\r\n" + line + "\r\n" + GetParam().body;
  EXPECT_TRUE(bytes.ends_with(end)) << bytes;
  EXPECT_EQ(bytes.find("Content-Length"), bytes.rfind("Content-Length"));
  EXPECT_EQ(bytes.find("Content-Length") == std::string::npos, line.empty());
  EXPECT_EQ(bytes.find("Transfer-Encoding"), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    Table, ContentLength,
    ::testing::Values(LengthCase{"POST", "", "Content-Length: 0\r\n"}, LengthCase{"PUT", "", "Content-Length: 0\r\n"},
                      LengthCase{"PATCH", "", "Content-Length: 0\r\n"}, LengthCase{"GET", "", ""},
                      LengthCase{"HEAD", "", ""}, LengthCase{"DELETE", "", ""}, LengthCase{"OPTIONS", "", ""},
                      LengthCase{"POST", "{}", "Content-Length: 2\r\n"},
                      LengthCase{"GET", "{}", "Content-Length: 2\r\n"},
                      LengthCase{"DELETE", "{}", "Content-Length: 2\r\n"}),
    [](const auto& row) { return std::string(row.param.method) + (*row.param.body ? "_with_a_body" : ""); });

struct TargetCase {
  const char* name;
  const char* url;
  const char* begin;
};
class Target : public ::testing::TestWithParam<TargetCase> {};
TEST_P(Target, is_in_origin_form_and_the_host_comes_first) {
  const std::string bytes = written({.method = "GET", .headers = {{"X-A", "1"}}}, GetParam().url);
  EXPECT_TRUE(bytes.starts_with(GetParam().begin)) << bytes;
}
const TargetCase targets[] = {
    {"default_port", "https://api.example/x", "GET /x HTTP/1.1\r\nHost: api.example\r\n"},
    {"default_port_that_is_said", "https://api.example:443/x", "GET /x HTTP/1.1\r\nHost: api.example\r\n"},
    {"default_port_of_plain_http", "http://127.0.0.1:80/x", "GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n"},
    {"other_port", "https://api.example:8443/x", "GET /x HTTP/1.1\r\nHost: api.example:8443\r\n"},
    {"the_other_schemes_port", "https://api.example:80/x", "GET /x HTTP/1.1\r\nHost: api.example:80\r\n"},
    {"ipv6", "https://[2001:db8::1]/x", "GET /x HTTP/1.1\r\nHost: [2001:db8::1]\r\n"},
    {"ipv6_and_port", "http://[::1]:8080/x", "GET /x HTTP/1.1\r\nHost: [::1]:8080\r\n"},
    {"no_path", "https://api.example", "GET / HTTP/1.1\r\nHost: api.example\r\n"},
    {"slash", "https://api.example/", "GET / HTTP/1.1\r\nHost: api.example\r\n"},
};
INSTANTIATE_TEST_SUITE_P(Table, Target, ::testing::ValuesIn(targets), [](const auto& row) { return row.param.name; });

TEST(RequestWriter, an_empty_value_is_a_line_all_the_same) {
  EXPECT_NE(written({.method = "GET", .headers = {{"X-Empty", ""}, {"X-B", "1"}}}).find("\r\nX-Empty: \r\nX-B: 1\r\n"),
            std::string::npos);
}

TEST(RequestWriter, headers_of_one_name_are_all_written_in_their_order) {
  EXPECT_NE(written({.method = "GET", .headers = {{"X-A", "1"}, {"x-a", "2"}}}).find("\r\nX-A: 1\r\nx-a: 2\r\n"),
            std::string::npos);
}

TEST(RequestWriter, without_an_authorization_there_is_no_such_line) {
  EXPECT_EQ(written({.method = "GET"}).find("Authorization"), std::string::npos);
}

class NoRequest : public ::testing::TestWithParam<const char*> {};
TEST_P(NoRequest, with_a_header_that_is_the_transports_own_whatever_its_case) {
  std::string upper = GetParam();
  std::string lower = GetParam();
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string& name : {std::string(GetParam()), upper, lower}) {
    const std::string error = error_in({.method = "POST", .headers = {{"X-A", "1"}, {name, "2"}}});
    EXPECT_NE(error.find(name), std::string::npos) << error;
  }
  EXPECT_EQ(error_in({.method = "POST", .headers = {{std::string("X-") + GetParam(), "2"}}}), "");
}
INSTANTIATE_TEST_SUITE_P(Names, NoRequest,
                         ::testing::Values("Accept-Encoding", "Authorization", "Connection", "Content-Length", "Expect",
                                           "Host", "Keep-Alive", "TE", "Proxy-Connection", "Transfer-Encoding",
                                           "Upgrade", "Trailer"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(NoRequest, can_have_a_line_more_than_it_was_given) {
  for (const Header& evil : Headers{{"X-A", "1\r\nX-Evil: 1"},
                                    {"X-A", "1\n"},
                                    {"X-A", "1\r"},
                                    {"X-A", std::string("a\0b", 3)},
                                    {"X-A: 1\r\nX-Evil", "1"},
                                    {"X A", "1"},
                                    {"X-A:", "1"},
                                    {"", "1"},
                                    {"X-\xc3\xa5", "1"}}) {
    EXPECT_NE(error_in({.method = "POST", .headers = {evil}}), "") << evil.name << '=' << evil.value;
  }
  for (const char* authorization : {"Bearer x\r\nX-Evil: 1", "Bearer x\n", "Bearer x\r"}) {
    const std::string error = error_in({.method = "POST", .authorization = authorization});
    EXPECT_NE(error, "");
    EXPECT_EQ(error.find("Bearer"), std::string::npos) << error;
  }
  for (const char* method : {"", "POST /evil HTTP/1.1\r\nX-Evil: 1\r\n\r\nPOST", "PO ST", "POST\n", "P/T"}) {
    EXPECT_NE(error_in({.method = method}), "") << method;
  }
}

TEST(NoRequest, is_a_head_with_a_body_or_a_connect) {
  EXPECT_EQ(error_in({.method = "HEAD"}), "");
  EXPECT_NE(error_in({.method = "HEAD", .body = "{}"}), "");
  EXPECT_NE(error_in({.method = "CONNECT"}), "");
  EXPECT_NE(error_in({.method = "CONNECT", .body = "{}"}), "");
}

TEST(WrittenRequest, says_at_each_byte_how_much_of_it_left) {
  const WrittenRequest request = write_request({.method = "POST", .body = "{}"}, parse_url("https://api.example"));
  const std::size_t all = request.bytes().size();
  const std::size_t head = all - 2;
  for (std::size_t taken = 0; taken <= all; ++taken) {
    const Left expected = taken == all ? Left::whole : taken > head ? Left::part : Left::head;
    EXPECT_EQ(request.left(taken, taken), expected) << taken << " of " << all;
  }
  // Over TLS more may have left than was taken; as a whole has left only what was taken.
  EXPECT_EQ(request.left(0, head), Left::head);
  EXPECT_EQ(request.left(0, head + 1), Left::part);
  EXPECT_EQ(request.left(0, all), Left::part);
  EXPECT_EQ(request.left(all, all), Left::whole);
}

TEST(WrittenRequest, without_a_body_has_left_with_the_last_byte_of_its_head) {
  for (const char* method : {"GET", "POST", "DELETE"}) {
    const WrittenRequest request = write_request({.method = method}, parse_url("https://api.example"));
    const std::size_t all = request.bytes().size();
    EXPECT_EQ(request.left(0, 0), Left::head);
    EXPECT_EQ(request.left(all - 1, all - 1), Left::head);
    EXPECT_EQ(request.left(0, all), Left::head);
    EXPECT_EQ(request.left(all, all), Left::whole);
  }
}

TEST(WrittenRequest, stands_in_one_buffer_that_never_grew_and_so_left_no_bearer_behind) {
  if (!CONNECTID_ALLOCATIONS_ARE_SEEN) GTEST_SKIP() << "a sanitizer has an operator new of its own";
  for (const std::size_t size : {0U, 1U, 100U, 100'000U}) {
    Request request{.method = "POST", .authorization = "Bearer canary", .body = std::string(size, 'x')};
    for (int i = 0; i < 5; ++i) request.headers.push_back({"X-" + std::to_string(i), std::string(100, 'y')});
    const Url url = parse_url("https://api.example/capi");
    std::vector<std::size_t> sizes;
    asked_for = &sizes;
    const WrittenRequest result = write_request(request, url);
    asked_for = nullptr;
    EXPECT_EQ(sizes, std::vector{result.bytes().size() + 1});  // and the terminating zero
  }
}

}  // namespace
}  // namespace connectid::detail
