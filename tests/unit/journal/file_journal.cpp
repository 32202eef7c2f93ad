#include <connectid/journal/file_journal.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "journal/record.hpp"
#include "support/disk.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace connectid {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

JournalCall call(std::string_view id, std::string_view body = R"({"copies":1})") {
  return {.call_id = id, .method = "POST", .url = "https://h.example/v1/subscription", .body = body};
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> in_flight(const std::string& path) {
  const auto contents = FileJournal::read(path);
  if (!contents) return {contents.error().message()};
  std::vector<std::string> ids;
  for (const InFlightCall& each : contents->in_flight) ids.push_back(each.call_id);
  return ids;
}

std::size_t damaged_lines(const std::string& path) { return FileJournal::read(path).value().damaged_lines; }

std::shared_ptr<FileJournal> opened(const std::string& path) { return FileJournal::open(path).value(); }

std::string message_of(const auto& result) { return result ? "" : result.error().message(); }

class FileJournalTest : public ::testing::Test {
 protected:
  const TemporaryDirectory directory;
  const std::string path = directory / "calls.journal";
};

TEST_F(FileJournalTest, knows_of_nothing_before_the_first_run) {
  EXPECT_THAT(in_flight(path), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(FileJournalTest, tells_which_calls_have_no_end) {
  const auto before = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  {
    const auto journal = opened(path);
    EXPECT_TRUE(journal->sending(call("b"), 1));
    EXPECT_TRUE(journal->sending(call("a", "first"), 1));
    EXPECT_TRUE(journal->sending(call("c"), 1));
    EXPECT_TRUE(journal->sending(call("a", "first"), 2));
    journal->ended(call("c"), Outcome::unknown);
    EXPECT_EQ(journal->error(), "");
  }
  const auto contents = FileJournal::read(path);
  ASSERT_TRUE(contents) << contents.error();
  EXPECT_EQ(contents->damaged_lines, 0U);
  ASSERT_THAT(in_flight(path), ElementsAre("b", "a"));
  const InFlightCall& found = contents->in_flight.back();
  EXPECT_EQ(found.method, "POST");
  EXPECT_EQ(found.url, "https://h.example/v1/subscription");
  EXPECT_EQ(found.body, "first");
  EXPECT_EQ(found.attempts, 2);
  EXPECT_GE(found.since, before);
  EXPECT_LE(found.since, std::chrono::system_clock::now());
}

TEST_F(FileJournalTest, adds_nothing_to_a_file_that_holds_something_else) {
  for (const std::string content : {"{\"product\":\"CO27409\"}\n", "x", "\x89PNG\r\n"}) {
    std::ofstream(path, std::ios::trunc) << content;
    EXPECT_THAT(message_of(FileJournal::open(path)), HasSubstr("it holds something else"));
    EXPECT_EQ(text_of(path), content);
  }
  for (const std::string content : {"", "\n", "{\"v", "{\n"}) {  // a full disk may leave that of a first line
    std::ofstream(path, std::ios::trunc) << content;
    EXPECT_TRUE(opened(path)->sending(call("a"), 1)) << content;
    EXPECT_THAT(in_flight(path), ElementsAre("a"));
  }
}

TEST_F(FileJournalTest, is_settled_by_the_id_alone) {
  EXPECT_TRUE(opened(path)->sending(call("a"), 1));
  const auto journal = opened(path);
  ASSERT_THAT(in_flight(path), ElementsAre("a"));
  journal->ended({.call_id = "a"}, Outcome::succeeded);
  EXPECT_THAT(in_flight(path), IsEmpty());
}

TEST_F(FileJournalTest, is_read_by_its_owner_alone) {
  EXPECT_TRUE(opened(path)->sending(call("a"), 1));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(FileJournalTest, is_on_the_disk_when_it_returns) {
  const auto journal = opened(path);
  std::vector<std::string> synced;
  const Disk own([&](int fd) {
    synced.push_back(text_of(path));
    return real_fdatasync(fd);
  });
  EXPECT_TRUE(journal->sending(call("a"), 1));
  ASSERT_EQ(synced.size(), 1U);
  EXPECT_THAT(synced.back(), HasSubstr(R"("event":"sending","call_id":"a")"));
  journal->ended(call("a"), Outcome::succeeded);
  ASSERT_EQ(synced.size(), 2U);
  EXPECT_THAT(synced.back(), HasSubstr(R"("event":"ended","call_id":"a","outcome":"succeeded")"));
}

TEST_F(FileJournalTest, has_its_name_on_the_disk_before_the_first_call) {
  std::vector<std::string> synced;
  const Disk own([&](int fd) {
    synced.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)));
    return 0;
  });
  EXPECT_EQ(message_of(FileJournal::open(path)), "");
  EXPECT_THAT(synced, ElementsAre(std::filesystem::path(path).parent_path()));
}

TEST_F(FileJournalTest, refuses_where_the_directory_cannot_be_written) {
  int error = EIO;
  const Disk failing([&](int) { return errno = error, -1; });
  EXPECT_THAT(message_of(FileJournal::open(path)), HasSubstr("its directory: Input/output error"));
  error = EINVAL;  // a file system where there is nothing to do for a directory
  EXPECT_EQ(message_of(FileJournal::open(path)), "");
}

struct Unusable {
  const char* name;
  std::function<std::string(const TemporaryDirectory&)> path;
  const char* why;
  bool readable = false;
};
class FileJournalPath : public ::testing::TestWithParam<Unusable> {};

TEST_P(FileJournalPath, that_cannot_be_used_is_told_at_once) {
  const TemporaryDirectory directory;
  const std::string path = GetParam().path(directory);
  const auto journal = FileJournal::open(path);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().outcome(), Outcome::not_sent);
  EXPECT_EQ(journal.error().kind(), ErrorKind::configuration_error);
  EXPECT_THAT(journal.error().message(), HasSubstr(GetParam().why));

  const auto contents = FileJournal::read(path);
  EXPECT_EQ(contents.has_value(), GetParam().readable);
  if (contents) return;
  EXPECT_EQ(contents.error().kind(), ErrorKind::configuration_error);
  EXPECT_THAT(contents.error().message(), HasSubstr(GetParam().why));
}
const Unusable unusable[] = {
    {"a_folder", [](const auto& directory) { return directory / "."; }, "not a regular file"},
    {"a_link",
     [](const auto& directory) {
       std::ofstream(directory / "target");
       std::filesystem::create_symlink("target", directory / "link");
       return directory / "link";
     },
     "symbolic link"},
    {"a_link_to_nothing",
     [](const auto& directory) {
       std::filesystem::create_symlink("nothing", directory / "link");
       return directory / "link";
     },
     "symbolic link"},
    {"a_pipe",
     [](const auto& directory) {
       mkfifo((directory / "pipe").c_str(), 0600);
       return directory / "pipe";
     },
     "not a regular file"},
    {"a_device", [](const auto&) { return std::string("/dev/full"); }, "not a regular file"},
    {"in_no_directory", [](const auto& directory) { return directory / "none/calls.journal"; }, "No such file", true},
    {"below_a_file",
     [](const auto& directory) {
       std::ofstream(directory / "file");
       return directory / "file/calls.journal";
     },
     "Not a directory"},
    {"a_name_that_is_too_long", [](const auto& directory) { return directory / std::string(300, 'a'); }, "too long"},
    {"a_name_with_a_zero", [](const auto& directory) { return directory / std::string("calls\0.journal", 14); },
     "a zero byte"},
    {"no_name", [](const auto&) { return std::string(); }, "No such file", true},
};
INSTANTIATE_TEST_SUITE_P(Table, FileJournalPath, ::testing::ValuesIn(unusable),
                         [](const auto& row) { return row.param.name; });

TEST_F(FileJournalTest, stands_in_the_directory_that_the_process_is_in) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory / ".");
  const auto journal = opened("calls.journal");
  std::filesystem::current_path(before);
  EXPECT_EQ(journal->error(), "");
  EXPECT_TRUE(journal->sending(call("a"), 1));
  EXPECT_THAT(in_flight(path), ElementsAre("a"));
}

TEST_F(FileJournalTest, goes_on_behind_what_a_crash_left_of_a_line) {
  EXPECT_TRUE(opened(path)->sending(call("sent"), 1));
  EXPECT_TRUE(opened(path)->sending(call("torn"), 1));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 10);
  EXPECT_THAT(in_flight(path), ElementsAre("sent"));
  EXPECT_EQ(damaged_lines(path), 1U);

  const auto journal = opened(path);
  EXPECT_TRUE(journal->sending(call("next"), 1));
  journal->ended(call("sent"), Outcome::succeeded);
  EXPECT_THAT(in_flight(path), ElementsAre("next"));
  EXPECT_EQ(damaged_lines(path), 1U);
  EXPECT_EQ(std::ranges::count(text_of(path), '\n'), 4);
}

TEST_F(FileJournalTest, leaves_a_call_in_flight_whose_end_was_torn) {
  EXPECT_TRUE(opened(path)->sending(call("a"), 1));
  opened(path)->ended(call("a"), Outcome::succeeded);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 2);
  EXPECT_THAT(in_flight(path), ElementsAre("a"));
  EXPECT_EQ(damaged_lines(path), 1U);
}

TEST_F(FileJournalTest, loses_no_line_behind_half_a_line_of_another_process) {
  const auto mine = opened(path);
  EXPECT_TRUE(opened(path)->sending(call("other"), 1));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 10);
  EXPECT_TRUE(mine->sending(call("mine"), 1));
  EXPECT_THAT(in_flight(path), ElementsAre("mine"));
  EXPECT_EQ(damaged_lines(path), 1U);
}

TEST_F(FileJournalTest, refuses_while_the_disk_is_full_and_goes_on_after) {
  const auto journal = opened(path);
  ASSERT_TRUE(journal->sending(call("before"), 1));
  const std::uintmax_t size = std::filesystem::file_size(path);
  std::vector<Result<void>> written;
  std::vector<std::string> errors;
  {
    const FullDisk full(size + 40);
    for (const char* id : {"half", "none"}) {
      written.push_back(journal->sending(call(id), 1));
      errors.push_back(journal->error());
      journal->ended(call(id), Outcome::not_sent);
    }
  }
  EXPECT_THAT(errors, ElementsAre(HasSubstr("no space"), HasSubstr("too large")));
  for (std::size_t i = 0; i < errors.size(); ++i) {
    ASSERT_FALSE(written[i]);
    EXPECT_EQ(written[i].error().kind(), ErrorKind::journal_refused);
    EXPECT_EQ(written[i].error().message(), errors[i]);
  }
  EXPECT_EQ(std::filesystem::file_size(path), size + 40);

  EXPECT_TRUE(journal->sending(call("after"), 1));
  EXPECT_EQ(journal->error(), "");
  EXPECT_THAT(in_flight(path), ElementsAre("before", "after"));
  EXPECT_EQ(damaged_lines(path), 1U);
  EXPECT_EQ(std::ranges::count(text_of(path), '\n'), 3);
}

TEST_F(FileJournalTest, refuses_for_good_once_a_sync_failed) {
  const auto journal = opened(path);
  {
    const Disk failing([](int) { return errno = EIO, -1; });
    EXPECT_THAT(message_of(journal->sending(call("a"), 1)), HasSubstr("Input/output error"));
  }
  const auto size = std::filesystem::file_size(path);
  EXPECT_THAT(message_of(journal->sending(call("b"), 1)), HasSubstr("Input/output error"));
  journal->ended(call("a"), Outcome::not_sent);
  EXPECT_EQ(std::filesystem::file_size(path), size);
  EXPECT_THAT(journal->error(), HasSubstr("Input/output error"));
}

TEST_F(FileJournalTest, asks_again_where_a_signal_ended_the_sync) {
  const auto journal = opened(path);
  int calls = 0;
  const Disk interrupted([&](int) { return ++calls < 3 ? errno = EINTR, -1 : 0; });
  EXPECT_TRUE(journal->sending(call("a"), 1));
  EXPECT_EQ(calls, 3);
}

TEST_F(FileJournalTest, refuses_a_call_that_no_reader_would_take) {
  const auto journal = opened(path);
  EXPECT_THAT(message_of(journal->sending(call("long", std::string(detail::longest_record, 'a')), 1)),
              HasSubstr("too long"));
  EXPECT_TRUE(journal->sending(call("short", std::string(detail::longest_record - 1000, 'a')), 1));
  EXPECT_THAT(in_flight(path), ElementsAre("short"));
}

TEST_F(FileJournalTest, is_read_past_a_line_of_any_length) {
  std::ofstream(path) << std::string(3 * detail::longest_record, '\0');
  EXPECT_TRUE(opened(path)->sending(call("a"), 1));
  EXPECT_THAT(in_flight(path), ElementsAre("a"));
  EXPECT_EQ(damaged_lines(path), 1U);
}

TEST_F(FileJournalTest, skips_what_a_newer_version_added) {
  EXPECT_TRUE(opened(path)->sending(call("a"), 1));
  std::ofstream(path, std::ios::app) << R"({"v":1,"at":"2026-04-01T03:00:07.123Z","event":"paused","call_id":"a"})"
                                     << "\n\n";
  EXPECT_THAT(in_flight(path), ElementsAre("a"));
  EXPECT_EQ(damaged_lines(path), 0U);
}

TEST_F(FileJournalTest, does_not_guess_at_a_newer_format) {
  EXPECT_TRUE(opened(path)->sending(call("a"), 1));
  std::ofstream(path, std::ios::app) << R"({"v":2})" << '\n';
  const auto contents = FileJournal::read(path);
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().kind(), ErrorKind::configuration_error);
  EXPECT_THAT(contents.error().message(), HasSubstr("newer version"));
}

TEST_F(FileJournalTest, ends_its_calls_in_a_file_that_was_moved_away) {
  const auto old = opened(path);
  ASSERT_TRUE(old->sending(call("a"), 1));
  std::filesystem::rename(path, directory / "old.journal");
  const auto begun = opened(path);
  EXPECT_TRUE(begun->sending(call("b"), 1));
  old->ended(call("a"), Outcome::succeeded);
  EXPECT_THAT(in_flight(directory / "old.journal"), IsEmpty());
  EXPECT_THAT(in_flight(path), ElementsAre("b"));
}

TEST_F(FileJournalTest, refuses_once_its_file_was_deleted) {
  const auto journal = opened(path);
  ASSERT_TRUE(journal->sending(call("a"), 1));
  std::filesystem::remove(path);
  EXPECT_THAT(message_of(journal->sending(call("b"), 1)), HasSubstr("deleted"));
}

/// Writes calls down, their ids from `name`, and ends every second one. The body is longer than a page.
bool write_calls(FileJournal& journal, const std::string& name, int count) {
  const std::string body(5000, 'a');
  for (int i = 0; i < count; ++i) {
    const std::string id = name + std::to_string(i);
    if (!journal.sending(call(id, body), 1)) return false;
    if (i % 2 == 1) journal.ended(call(id), Outcome::succeeded);
  }
  return true;
}

std::vector<std::string> not_ended(const std::vector<std::string>& names, int count) {
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    for (int i = 0; i < count; i += 2) ids.push_back(name + std::to_string(i));
  }
  return ids;
}

TEST_F(FileJournalTest, is_shared_by_processes_whose_lines_stay_whole) {
  const std::vector<std::string> names{"a", "b", "c"};
  std::vector<pid_t> children;
  for (const std::string& name : names) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    const auto journal = opened(path);
    _exit(write_calls(*journal, name, 100) ? 0 : 1);
  }
  for (const pid_t child : children) {
    int state = -1;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    EXPECT_EQ(state, 0);
  }
  EXPECT_EQ(damaged_lines(path), 0U);
  EXPECT_THAT(in_flight(path), UnorderedElementsAreArray(not_ended(names, 100)));
}

class FileJournalThreads : public FileJournalTest {};

TEST_F(FileJournalThreads, write_whole_lines) {
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h"};
  std::atomic<int> succeeded = 0;
  {
    const auto journal = opened(path);
    std::vector<std::jthread> threads;
    for (const std::string& name : names) {
      threads.emplace_back([&, name] { succeeded += write_calls(*journal, name, 50); });
    }
  }
  EXPECT_EQ(succeeded, 8);
  EXPECT_EQ(damaged_lines(path), 0U);
  EXPECT_THAT(in_flight(path), UnorderedElementsAreArray(not_ended(names, 50)));
}

TEST_F(FileJournalThreads, share_a_sync_that_began_after_their_lines_were_written) {
  std::atomic<int> syncs = 0;
  std::atomic<bool> let_go = false;
  const auto journal = opened(path);
  const Disk slow([&](int) {
    if (++syncs == 1) eventually([&] { return let_go.load(); });
    return 0;
  });
  std::atomic<int> succeeded = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] { succeeded += journal->sending(call(std::to_string(i)), 1).has_value(); });
    }
    EXPECT_TRUE(eventually([&] { return std::ranges::count(text_of(path), '\n') == 8; }));
    EXPECT_EQ(syncs, 1);
    EXPECT_EQ(succeeded, 0);
    let_go = true;
  }
  EXPECT_EQ(succeeded, 8);
  EXPECT_EQ(syncs, 2);  // one for whoever came first, one for all whose lines came while it ran
}

// The system tells one sync of a failure, and the next that all is well.
TEST_F(FileJournalThreads, all_learn_of_a_sync_that_failed) {
  std::atomic<int> syncs = 0;
  std::atomic<bool> let_go = false;
  const auto journal = opened(path);
  const Disk failing_once([&](int) {
    if (++syncs > 1) return 0;
    eventually([&] { return let_go.load(); });
    return errno = EIO, -1;
  });
  std::atomic<int> succeeded = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] { succeeded += journal->sending(call(std::to_string(i)), 1).has_value(); });
    }
    EXPECT_TRUE(eventually([&] { return std::ranges::count(text_of(path), '\n') == 8; }));
    let_go = true;
  }
  EXPECT_EQ(succeeded, 0);
  EXPECT_EQ(syncs, 1);
}

}  // namespace
}  // namespace connectid
