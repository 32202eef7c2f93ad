// Where the response goes.
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

TEST_F(ProgramTest, standard_output_that_is_closed_or_full_is_not_success_and_loses_nothing) {
  for (const char* path : {"-", "/dev/full"}) {
    const std::size_t before = server.started().size();
    const Ended ended = Program(start({"--output", "json"}), variables(), {.out_path = path}).wait();
    EXPECT_EQ(ended.status, 1) << path;
    EXPECT_NE(ended.err.find("\"outcome\":\"started\""), std::string::npos) << ended.err;
    EXPECT_EQ(server.started().size() - before, 1U);
    EXPECT_EQ(server.received().back().body.find("outcome"), std::string::npos);
  }
}

TEST_F(ProgramTest, a_help_that_cannot_be_written_is_not_success) {
  EXPECT_EQ(Program({"start", "--help"}, {}, {.out_path = "/dev/full"}).wait().status, 1);
}

TEST_F(ProgramTest, a_failure_keeps_its_status_where_it_cannot_be_written) {
  server.next(testing::response(400, "{}"));
  const Ended ended = Program(start({"--output", "json"}), variables(), {.out_path = "/dev/full"}).wait();
  EXPECT_EQ(ended.status, 3);
  EXPECT_NE(ended.err.find("\"outcome\":\"rejected\""), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace connectid::cli
