#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "allocations.hpp"
#include "starts.hpp"

namespace bench {
namespace {

/// How often one start on a connection that stands asks the heap.
std::size_t allocations_of(const Start& start) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(start());  // what is kept from call to call has its size now
  const std::size_t before = allocations();
  EXPECT_TRUE(start());
  return allocations() - before;
}

/// Frees it; the compiler, which may leave out a block that nobody looks at, must believe that somebody does.
void give_back(void* block) {
  static void* volatile seen = nullptr;
  seen = block;
  std::free(seen);
}

TEST(Allocations, are_counted_whoever_asks) {
  const std::size_t before = allocations();
  give_back(std::malloc(1));
  give_back(std::calloc(1, 1));
  give_back(std::realloc(nullptr, 1));
  give_back(std::aligned_alloc(64, 64));
  EXPECT_EQ(allocations() - before, 4U);
  const std::string long_text(100, 'x');  // operator new
  EXPECT_EQ(allocations() - before, 5U);

  const LoopbackServer server(started_response);
  EXPECT_GT(allocations_of(make_start("bare", server)), 0U) << "libcurl's are not seen";
}

TEST(Starts, send_the_same_bytes) {
  for (const Wire wire : {Wire::plain, Wire::tls}) {
    const LoopbackServer server(started_response, wire);
    const auto request = [&](const char* way) {
      EXPECT_TRUE(make_start(way, server, "the-same-call")()) << way;
      return server.last_request();
    };
    const std::string bare = request("bare");
    EXPECT_NE(bare.find("\r\nX-Request-Id: the-same-call\r\n"), std::string::npos) << bare;
    for (const char* way : ways) EXPECT_EQ(request(way), bare) << way;
  }
}

TEST(Starts, keep_their_connection) {
  for (const Wire wire : {Wire::plain, Wire::tls}) {
    for (const char* way : ways) {
      const LoopbackServer server(started_response, wire);
      const Start start = make_start(way, server);
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(start()) << way;
      EXPECT_EQ(server.connections(), 1U) << way;
    }
  }
}

// None of them is libcurl's: 46, and two for other versions of the compiler and of nlohmann/json. What TLS adds (8) is
// OpenSSL's and libcurl's.
TEST(Starts, ask_the_heap_no_more_often_than_was_reached) {
  const LoopbackServer server(started_response);
  EXPECT_LE(allocations_of(make_start("connectid", server)), 25U);
}

}  // namespace
}  // namespace bench
