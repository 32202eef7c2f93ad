// kill -9 while two processes save tokens: what the store has then, beside what they were told was kept.
#include <connectid/auth/file_token_store.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "support/canary_token.hpp"
#include "support/numbered_token.hpp"
#include "support/seed.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::auth {
namespace {

/// A process that saves one token after the other until it is killed.
class Saver {
 public:
  explicit Saver(std::string directory) {
    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::string program = CONNECTID_TOKEN_SAVER;
    char* const words[] = {program.data(), directory.data(), nullptr};
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, words, environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[1]);
    output_ = pipe[0];
  }
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;
  ~Saver() {
    static_cast<void>(kill_it());
    close(output_);
  }

  /// Whether it lived until now.
  [[nodiscard]] bool kill_it() {
    if (pid_ <= 0) return false;
    kill(pid_, SIGKILL);
    int state = 0;
    waitpid(std::exchange(pid_, -1), &state, 0);
    return WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
  }
  /// The next number that it saved; waits for it. 0: it is dead, and saved no more.
  [[nodiscard]] int next() const {
    int number = 0;
    return read(output_, &number, sizeof number) == sizeof number ? number : 0;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

class TokenCrash : public ::testing::Test {
 protected:
  static constexpr int rounds = 200 / CONNECTID_TEST_PATIENCE;  // a sanitizer looks for something else

  /// What the processes said that they had saved, until they were killed: one at least had its turn.
  std::vector<int> run_and_kill(std::chrono::microseconds after) {
    Saver one(path), another(path);
    std::vector<int> saved{one.next()};
    std::this_thread::sleep_for(after);
    EXPECT_TRUE(one.kill_it());
    EXPECT_TRUE(another.kill_it());
    for (const Saver* saver : {&one, &another}) {
      while (const int number = saver->next()) saved.push_back(number);
    }
    return saved;
  }

  /// The number of the token that is kept; nothing less than a whole one counts.
  static int kept_number(FileTokenStore& store) {
    const auto loaded = store.load("anna");
    if (!loaded || !*loaded) {
      ADD_FAILURE() << (loaded ? "nothing is kept" : loaded.error().message());
      return 0;
    }
    const int number = std::stoi((*loaded)->client_id);
    EXPECT_TRUE(equal(**loaded, numbered_token(number)));
    return number;
  }

  /// The number of the token that a kill left beside the one that is kept; 0: a part of one, or nothing.
  int left_number() {
    FileTokenStore aside(directory / "tokens.aside");
    const std::string copy = directory / ("tokens.aside/" + file);
    EXPECT_TRUE(aside.save("anna", {}));
    if (!std::filesystem::exists(left)) return 0;
    std::filesystem::copy_file(left, copy, std::filesystem::copy_options::overwrite_existing);
    return aside.load("anna") ? kept_number(aside) : 0;
  }

  std::set<std::string> names() {
    std::set<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(path)) all.insert(entry.path().filename());
    return all;
  }

  const TemporaryDirectory directory;
  const std::string path = directory / "tokens";
  // printf anna | sha256sum
  const std::string file = "55579b557896d0ce1764c47fed644f9b35f58bad620674af23f356d80ed0c503.json";
  const std::string left = path + "/" + file + ".new";
  FileTokenStore store{path};
};

TEST_F(TokenCrash, leaves_the_last_token_that_was_saved_or_the_one_that_was_being_saved) {
  const unsigned dice = seed();
  std::mt19937 random(dice);
  std::uniform_int_distribution<int> microseconds(0, 5000);
  std::set<int> all;
  int ahead = 0, truncated = 0, whole = 0;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const std::vector<int> saved = run_and_kill(std::chrono::microseconds{microseconds(random)});
    for (const int number : saved) EXPECT_TRUE(all.insert(number).second) << number << " was saved twice";

    const int last = *all.rbegin(), before = kept_number(store), in_new = left_number();
    EXPECT_GE(before, last);
    if (in_new > 0) EXPECT_EQ(in_new, before + 1);
    if (std::filesystem::exists(left)) ++(in_new > 0 ? whole : truncated);

    EXPECT_TRUE(store.lock("anna", {.deadline = std::chrono::steady_clock::now() + 1s})) << "the dead hold a lock";
    const int kept = kept_number(store);
    EXPECT_EQ(kept, std::max(before, in_new));
    EXPECT_LE(kept, last + 2);  // each of the two may have died before it could say so
    EXPECT_THAT(names(), ::testing::ElementsAre(file, "lock"));
    if (kept > last) ++ahead;
  }
  // The kills came in the middle of saves.
  EXPECT_GT(truncated + ahead, 0);
  EXPECT_GT(whole, 0) << "nothing was taken from where a kill left it";
  std::cout << 2 * rounds << " processes killed (seed " << dice << "): " << all.size() << " tokens saved, " << truncated
            << " times a part of one was left and dropped, " << whole << " times a whole one was left and taken, "
            << ahead << " times a token was kept that nobody had been told of\n";
}

}  // namespace
}  // namespace connectid::auth
