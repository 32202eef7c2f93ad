// What docs/outcomes.md and docs/program.md must name to be whole.

#include <gtest/gtest.h>
#include <connectid/connectid.hpp>

#include <fstream>
#include <regex>
#include <sstream>
#include <string>

namespace {

// As one line, so that no line break is in the way.
std::string page(const char* path) {
  std::ostringstream text;
  text << std::ifstream(std::string(CONNECTID_SOURCE_DIR "/") + path).rdbuf();
  return std::regex_replace(text.str(), std::regex("\\s+"), " ");
}

TEST(Outcomes, every_kind_of_error_is_named) {
  const std::string text = page("docs/outcomes.md");
  constexpr auto last = static_cast<int>(connectid::ErrorKind::circuit_open);
  for (int kind = 0; kind <= last; ++kind) {
    const std::string name(to_string(static_cast<connectid::ErrorKind>(kind)));
    EXPECT_NE(text.find("| `" + name + "` |"), std::string::npos) << name;
  }
  const std::string program = page("docs/program.md");
  for (const char* of_the_program : {"`usage` (status 2)", "`internal` (status 1)"}) {
    EXPECT_NE(program.find(of_the_program), std::string::npos) << of_the_program;
  }
}

TEST(Outcomes, the_rule_for_scripts_is_whole) {
  EXPECT_NE(page("docs/program.md")
                .find("0 = started (or help or the version was asked for); 2, 3, 4, 5, 7 = not started; 6 and "
                      "anything else (1, 124, 137, …) = may have started: check, do not repeat."),
            std::string::npos);
}

}  // namespace
