// Which libcurl is let in.
#include "http/libcurl.hpp"

#include <gtest/gtest.h>

namespace connectid::detail {
namespace {

curl_version_info_data version(unsigned number, int features) {
  curl_version_info_data said{};
  said.version = "7.87.0";
  said.version_num = number;
  said.features = features;
  return said;
}

TEST(LibcurlOfThisProcess, is_let_in_from_7_88_on_with_tls_and_an_asynchronous_resolver) {
  constexpr int both = CURL_VERSION_SSL | CURL_VERSION_ASYNCHDNS;
  EXPECT_EQ(error_in(version(0x075800, both)), "");
  EXPECT_EQ(error_in(version(0x081700, both)), "");
  EXPECT_EQ(error_in(version(0x0757FF, both)), "libcurl 7.88 or newer is needed, and this process runs with 7.87.0");
  EXPECT_EQ(error_in(version(0x075800, CURL_VERSION_ASYNCHDNS)), "this libcurl was built without TLS");
  EXPECT_EQ(error_in(version(0x075800, CURL_VERSION_SSL)),
            "this libcurl was built without an asynchronous resolver: a look-up could not be ended in time");
}

TEST(LibcurlOfThisProcess, is_asked_once) { EXPECT_EQ(&libcurl(), &libcurl()); }

}  // namespace
}  // namespace connectid::detail
