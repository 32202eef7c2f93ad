// What is said of the program: its help, its manual pages, and its completions in real shells. The last two are made of
// the help, and each is asked here for every flag that the help names.
#include <algorithm>
#include <connectid/version.hpp>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using Words = std::set<std::string>;

const std::string pages = CONNECTID_PAGES;
const std::string rule =
    "0 = started; 2, 3, 4, 5, 7 = not started; 6 and anything else = may have started: check, do not repeat.";

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in.is_open()) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> split(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

Words words_of(const std::string& text) {
  const std::vector<std::string> words = split(text);
  return {words.begin(), words.end()};
}

/// As if it were one line, however it was broken.
std::string flowing(const std::string& text) { return std::regex_replace(text, std::regex("\\s+"), " "); }

Words found_in(const std::string& text, const std::regex& what) {
  Words found;
  for (std::sregex_iterator at(text.begin(), text.end(), what), end; at != end; ++at) found.insert(at->str(1));
  return found;
}

/// Runs a tool of the system, found as in any shell; so is the program under test.
Ended run_tool(const std::vector<std::string>& words) {
  const char* path = std::getenv("PATH");
  const std::string own = std::filesystem::path(CONNECTID_PROGRAM).parent_path();
  return Process(words, {"PATH=" + own + ":" + (path ? path : "/usr/bin:/bin")}).wait();
}

/// A command of the program; or the program itself, which has no word.
struct Page {
  std::string name;
  std::string words;

  [[nodiscard]] std::string help() const {
    const Ended ended = Program(split(words + " --help"), {}).wait();
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    return ended.out;
  }
  /// Those that its help lists, long and short.
  [[nodiscard]] Words flags() const {
    const std::string text = help();
    Words all = found_in(text, std::regex("\n  (?:-\\w, )?(--[a-z-]+)"));
    all.merge(found_in(text, std::regex("\n  (-\\w), --")));
    return all;
  }
  [[nodiscard]] std::string file() const {
    std::string name = words.empty() ? "" : "-" + words;
    std::ranges::replace(name, ' ', '-');
    return pages + "/connectid" + name + ".1";
  }
};
void PrintTo(const Page& page, std::ostream* out) { *out << page.name; }

std::vector<Page> all_pages() {
  std::vector<Page> all{{"connectid", ""}};
#define COMMAND(name, words) all.push_back({#name, words});
#include "commands/commands.inc"
#undef COMMAND
  return all;
}

class ProgramPage : public ::testing::TestWithParam<Page> {};
INSTANTIATE_TEST_SUITE_P(Table, ProgramPage, ::testing::ValuesIn(all_pages()),
                         [](const auto& row) { return row.param.name; });

TEST_P(ProgramPage, has_an_example_and_fits_a_terminal) {
  const std::string help = GetParam().help();
  EXPECT_NE(help.find("\nUsage: connectid"), std::string::npos);
  EXPECT_NE(help.find("\nExamples:\n  $ "), std::string::npos);
  EXPECT_TRUE(GetParam().flags().contains("--help"));
  for (const std::string& line : lines_of(help)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_P(ProgramPage, has_its_statuses_and_that_of_start_the_rule_for_scripts) {
  const std::string help = flowing(GetParam().help());
  EXPECT_EQ(help.find(rule) != std::string::npos, GetParam().words == "start") << help;
  EXPECT_EQ(help.find("Exit status: 0 ") != std::string::npos, !GetParam().words.empty()) << help;
}

TEST_P(ProgramPage, is_a_manual_page_without_a_warning) {
  const Ended ended = run_tool({"groff", "-man", "-ww", "-z", GetParam().file()});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out + ended.err, "");
}

TEST_P(ProgramPage, tells_in_the_manual_what_it_tells_in_the_help) {
  const Ended ended = run_tool({"groff", "-man", "-Tascii", "-P-cbou", GetParam().file()});
  const std::string manual = flowing(ended.out);
  const std::string help = GetParam().help();
  const Words flags = found_in(manual, std::regex(" (--?[a-z-]+)"));
  for (const std::string& flag : GetParam().flags()) EXPECT_TRUE(flags.contains(flag)) << flag << ended.out;
  for (const std::string& name : found_in(help, std::regex("((?:CONNECTID|SSL)_[A-Z_]+)"))) {
    EXPECT_NE(manual.find(name), std::string::npos) << name;
  }
  for (const std::string& line : lines_of(help)) {
    const bool example = line.starts_with("  $ ") || line.starts_with("  > ");
    if (example) EXPECT_NE(ended.out.find(line.substr(2) + "\n"), std::string::npos) << line << ended.out;
  }
  const std::string summary = help.substr(0, help.find('\n'));
  EXPECT_EQ(manual.find(summary), std::string::npos) << "NAME says it";
  EXPECT_EQ(manual.find(rule) != std::string::npos, flowing(help).find(rule) != std::string::npos);
}

/// The variables that the help of a command names.
Words variables_of(const std::string& words) {
  return found_in(Page{words, words}.help(), std::regex("\n  ((?:CONNECTID|SSL)_[A-Z_]+)"));
}

TEST(ProgramPages, a_command_that_calls_the_api_names_every_variable_that_is_read) {
  const Words read =
      found_in(text_of(CONNECTID_SOURCE_DIR "/cli/input/settings.hpp"), std::regex("\"([A-Z]+_[A-Z_]+)\""));
  EXPECT_GE(read.size(), 6U);
  EXPECT_EQ(variables_of("start"), read);
  EXPECT_EQ(variables_of("list"), read);
}

TEST(ProgramPages, a_command_names_no_variable_that_it_does_not_read) {
  EXPECT_EQ(variables_of("token import"), (Words{"CONNECTID_ACCOUNT", "CONNECTID_API_URL", "CONNECTID_CLIENT_ID",
                                                 "CONNECTID_ENVIRONMENT", "CONNECTID_LOGIN_URL"}));
  for (const char* command : {"login", "token"}) {
    EXPECT_TRUE(variables_of(command).contains("CONNECTID_CLIENT_SECRET")) << command;
    EXPECT_FALSE(variables_of(command).contains("CONNECTID_ACCESS_TOKEN")) << command;
  }
}

TEST(ProgramPages, the_example_of_start_is_a_valid_request) {
  const std::string help = Page{"start", "start"}.help();
  const std::string before = "connectid start --environment test ";
  const std::size_t example = help.find(before + "--product");
  ASSERT_NE(example, std::string::npos) << help;
  const std::regex line_break("\\\\\n  > ");
  std::vector<std::string> arguments = split(std::regex_replace(help.substr(example + before.size()), line_break, ""));
  arguments.insert(arguments.begin(), "validate");
  const Ended ended = Program(arguments, {}).wait();
  EXPECT_EQ(ended.status, 0) << ended.err;
}

TEST(ProgramPages, the_help_is_text_whatever_output_is_asked_for) {
  const Ended ended = Program({"start", "--output", "json", "--help"}, {}).wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, (Page{"start", "start"}.help()));
}

TEST(ProgramPages, the_version_is_a_result) {
  const Ended ended = Program({"--version"}, {}).wait();
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out, "connectid " CONNECTID_VERSION "\n");
}

// ---- completion. What is offered at the end of a line, in a shell that knows nothing but the completion.

Words offered_by_bash(std::vector<std::string> words) {
  constexpr auto script =
      "set -u; source \"$0\"; [[ $(complete -p connectid) == *' -F _connectid connectid' ]] || exit 9;"
      "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _connectid; printf '%s\\n' \"${COMPREPLY[@]}\"";
  words.insert(words.begin(), {"bash", "--norc", "-c", script, CONNECTID_COMPLETIONS "/connectid.bash", "connectid"});
  const Ended ended = run_tool(words);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
  return words_of(ended.out);
}

Words offered_by_zsh(const std::vector<std::string>& words) {
  std::string line = "connectid";
  for (const std::string& word : words) line += " " + word;
  const Ended ended = run_tool(
      {"zsh", "-f", CONNECTID_SOURCE_DIR "/tests/cli/offered_by_zsh.zsh", CONNECTID_COMPLETIONS, std::move(line)});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
  return words_of(ended.out);
}

struct Shell {
  const char* name;
  Words (*offered)(std::vector<std::string>);
};
void PrintTo(const Shell& shell, std::ostream* out) { *out << shell.name; }

class ProgramCompletion : public ::testing::TestWithParam<Shell> {
 protected:
  static Words offered(std::vector<std::string> words) { return GetParam().offered(std::move(words)); }
};
INSTANTIATE_TEST_SUITE_P(Table, ProgramCompletion,
                         ::testing::Values(Shell{"bash", offered_by_bash},
                                           Shell{"zsh",
                                                 [](std::vector<std::string> words) { return offered_by_zsh(words); }}),
                         [](const auto& row) { return row.param.name; });

TEST_P(ProgramCompletion, knows_the_commands_and_every_flag_of_the_help) {
  for (const Page& page : all_pages()) {
    std::vector<std::string> line = split(page.words);
    if (!line.empty()) EXPECT_EQ(offered(line), Words{line.back()});
    line.emplace_back("-");
    EXPECT_EQ(offered(line), page.flags()) << page.name;
  }
  EXPECT_EQ(offered({"st"}), Words{"start"});
  EXPECT_TRUE(offered({""}).contains("validate"));
}

TEST_P(ProgramCompletion, knows_the_values_that_can_be_listed) {
  EXPECT_EQ(offered({"start", "--output", ""}), (Words{"text", "json"}));
  EXPECT_EQ(offered({"validate", "--copies", "1", "--output", "j"}), Words{"json"});
  EXPECT_EQ(offered({"start", "--environment", ""}), (Words{"production", "sweden", "test"}));
  EXPECT_EQ(offered({"start", "--product", ""}), Words{});
}

TEST_P(ProgramCompletion, names_files_after_a_flag_that_takes_one) {
  const TemporaryFile file;
  const std::string begin = file.name().substr(0, file.name().size() - 2);
  for (const char* flag : {"--json", "--ca-file"}) {
    Words names;  // zsh offers what stands after the last slash
    for (const std::string& name : offered({"start", flag, begin})) {
      names.insert(std::filesystem::path(name).filename());
    }
    EXPECT_TRUE(names.contains(std::filesystem::path(file.name()).filename())) << flag << ' ' << begin;
  }
}

TEST(ProgramBashCompletion, completes_a_value_behind_an_equals_sign) {  // which bash takes for a word of its own
  EXPECT_EQ(offered_by_bash({"start", "--output", "="}), (Words{"text", "json"}));
  EXPECT_EQ(offered_by_bash({"start", "--output", "=", "j"}), Words{"json"});
}

TEST(ProgramZshCompletion, offers_no_flag_that_excludes_one_already_there) {
  EXPECT_EQ(offered_by_zsh({"start", "--start-date", "2026-04-01", "--start-"}), Words{});
  EXPECT_EQ(offered_by_zsh({"start", "--zone", "UTC", "--start-"}), (Words{"--start-date", "--start-time"}));
}

}  // namespace
}  // namespace connectid::cli
