// Where a connection leads, what stands in the Host field, and what is asked for. (What is refused: vocabulary.cpp.)
#include "http/url.hpp"

#include <gtest/gtest.h>

namespace connectid::detail {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* origin;
  const char* authority;
  const char* path;
};
class UrlParts : public ::testing::TestWithParam<Case> {};
TEST_P(UrlParts, are_these) {
  const Url url = parse_url(GetParam().text);
  EXPECT_EQ(url.error, "");
  EXPECT_EQ(url.origin, GetParam().origin);
  EXPECT_EQ(url.authority, GetParam().authority);
  EXPECT_EQ(url.path, GetParam().path);
}
const Case cases[] = {
    {"host_alone", "https://api.example", "https://api.example", "api.example", "/"},
    {"slash", "https://api.example/", "https://api.example", "api.example", "/"},
    {"slashes", "https://api.example///", "https://api.example", "api.example", "///"},
    {"path", "https://api.example/capi/v1", "https://api.example", "api.example", "/capi/v1"},
    {"slash_behind_the_path", "https://api.example/capi/", "https://api.example", "api.example", "/capi/"},
    {"slashes_behind_the_path", "https://api.example/capi//", "https://api.example", "api.example", "/capi//"},
    {"https_port", "https://api.example:443/x", "https://api.example", "api.example", "/x"},
    {"http_port", "http://localhost:80/x", "http://localhost", "localhost", "/x"},
    {"https_on_80", "https://api.example:80/x", "https://api.example:80", "api.example:80", "/x"},
    {"http_on_443", "http://localhost:443/x", "http://localhost:443", "localhost:443", "/x"},
    {"other_port", "https://api.example:8443/x", "https://api.example:8443", "api.example:8443", "/x"},
    {"port_with_zeros", "https://api.example:00443/x", "https://api.example", "api.example", "/x"},
    {"no_port_behind_the_colon", "https://api.example:/x", "https://api.example", "api.example", "/x"},
    {"ipv4", "http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080", "/"},
    {"ipv6", "https://[2001:db8::1]/x", "https://[2001:db8::1]", "[2001:db8::1]", "/x"},
    {"ipv6_and_its_port", "https://[2001:db8::1]:443", "https://[2001:db8::1]", "[2001:db8::1]", "/"},
    {"ipv6_and_another_port", "http://[::1]:8080/x", "http://[::1]:8080", "[::1]:8080", "/x"},
    {"percent_encoded_path", "https://api.example/a%20b%C3%A5", "https://api.example", "api.example", "/a%20b%C3%A5"},
    {"dots_in_the_path", "https://api.example/a/../b/./c", "https://api.example", "api.example", "/b/c"},
    {"punycode", "https://xn--blbr-roah.example/x", "https://xn--blbr-roah.example", "xn--blbr-roah.example", "/x"},
    {"upper_case_scheme", "HTTPS://api.example/X", "https://api.example", "api.example", "/X"},
};
INSTANTIATE_TEST_SUITE_P(Table, UrlParts, ::testing::ValuesIn(cases), [](const auto& row) { return row.param.name; });

TEST(Url, with_a_path_beyond_ascii_is_refused_and_says_why) {
  for (const char* text : {"https://api.example/bl\xc3\xa5", "https://api.example/\xff", "https://api.example/a\x7f"}) {
    EXPECT_FALSE(parse_url(text).error.empty()) << text;
  }
  EXPECT_EQ(parse_url("https://api.example/bl\xc3\xa5").error,
            "has a path with a character that must be percent-encoded");
}

TEST(Url, with_a_host_beyond_ascii_is_written_in_punycode_or_refused) {
  const Url url = parse_url(
      "https://bl\xc3\xa5"
      "b\xc3\xa6r.example/x");  // not every libcurl can, nor in each locale
  if (url.error.empty()) {
    EXPECT_EQ(url.authority, "xn--blbr-roah.example");
    EXPECT_EQ(url.origin, "https://xn--blbr-roah.example");
  } else {
    EXPECT_EQ(url.error, "has a host name that this libcurl cannot write in ASCII");
  }
}

TEST(Url, of_a_request_may_have_a_query_and_a_base_may_not) {
  const std::string text = "https://api.example/v1/list?a=b%26c&d=/?";
  EXPECT_EQ(parse_url(text, UrlOf::request).path, "/v1/list?a=b%26c&d=/?");
  EXPECT_EQ(parse_url(text).error, "must hold no query and no fragment");
  EXPECT_EQ(parse_url(text + "#e", UrlOf::request).error, "must hold no fragment");
  EXPECT_FALSE(parse_url("https://api.example/?bl\xc3\xa5", UrlOf::request).error.empty());
}

TEST(Url, that_is_refused_has_no_parts_to_connect_to) {
  for (const char* text : {"", "https://user:hunter2@h/x", "http://api.example", "ftp://h", "https://h/x?hunter2"}) {
    const Url url = parse_url(text);
    EXPECT_FALSE(url.error.empty());
    EXPECT_EQ(url.text + url.origin + url.authority + url.path, "") << text;
  }
}

}  // namespace
}  // namespace connectid::detail
