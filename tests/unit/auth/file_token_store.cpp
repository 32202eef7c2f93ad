// What is FileTokenStore's own: its files. What it promises as every store does: token_store.cpp.
#include <connectid/auth/file_token_store.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/canary_token.hpp"
#include "support/disk.hpp"
#include "support/temporary_directory.hpp"

namespace connectid::auth {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// printf anna | sha256sum
const std::string anna = "55579b557896d0ce1764c47fed644f9b35f58bad620674af23f356d80ed0c503.json";
const std::string anna_json =
    R"({"connectid_token":1,"account":"anna","access_token":"canary-access-1","obtained_at":1775012407123,)"
    R"("expires_at":1775055607123,"refresh_token":"canary-refresh-1","api_url":"https://api.test/capi",)"
    R"("login_url":"https://login.test/user","client_id":"shop"})"
    "\n";

std::string with(const std::string& from, const std::string& to) {
  std::string text = anna_json;
  return text.replace(text.find(from), from.size(), to);
}

/// What a crash leaves of a save that would have replaced it.
const std::string anna_2_json = [] {
  std::string text = anna_json;
  for (std::size_t at = 0; (at = text.find("canary", at)) != std::string::npos;) text[at = text.find("1\"", at)] = '2';
  return text;
}();

void write(const std::string& path, const std::string& text) {
  fs::remove_all(path);
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms{0600});
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  if (!fs::exists(directory)) return names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  return names;
}

unsigned permissions(const std::string& path) { return static_cast<unsigned>(fs::status(path).permissions()); }

/// The error's message; it is fit to be shown.
template <class T>
std::string message(const Result<T>& result) {
  if (result) return {};
  expect_fit_to_be_shown(result.error());
  return result.error().message();
}

/// The message of an error that says that something cannot be used.
template <class T>
std::string refusal(const Result<T>& result) {
  if (!result) EXPECT_EQ(result.error().kind(), ErrorKind::configuration_error);
  return message(result);
}

/// The message of an error that says that something cannot be used now.
template <class T>
std::string failure(const Result<T>& result) {
  const auto* detail = result ? nullptr : result.error().template get_if<TokenError>();
  EXPECT_TRUE(result || (detail && detail->temporary));
  return message(result);
}

class FileTokenStoreTest : public ::testing::Test {
 protected:
  void save_anna(const std::string& mark = "1") {
    const auto saved = store.save("anna", canary_token(mark));
    ASSERT_TRUE(saved) << saved.error();
  }
  [[nodiscard]] std::string lock_refusal() {
    const auto lock = store.lock("anna", {});
    return refusal(lock);
  }

  const TemporaryDirectory directory;
  const std::string path = directory / "data/tokens";
  const std::string file = path + "/" + anna;
  FileTokenStore store{path};
};

TEST_F(FileTokenStoreTest, keeps_an_account_in_one_file_of_json) {
  save_anna();
  EXPECT_THAT(names_in(path), ElementsAre(anna));
  EXPECT_EQ(text_of(file), anna_json);
}

TEST_F(FileTokenStoreTest, keeps_all_to_its_owner_whatever_the_umask) {
  const mode_t before = umask(0);
  save_anna();
  EXPECT_EQ(lock_refusal(), "");
  umask(before);
  EXPECT_EQ(permissions(directory / "data"), 0700U);
  EXPECT_EQ(permissions(path), 0700U);
  EXPECT_EQ(permissions(file), 0600U);
  EXPECT_EQ(permissions(path + "/lock"), 0600U);
}

TEST_F(FileTokenStoreTest, makes_nothing_to_find_nothing) {
  EXPECT_EQ(kept(store, "anna"), "none");
  EXPECT_TRUE(store.remove("anna"));
  EXPECT_THAT(store.accounts().value(), IsEmpty());
  EXPECT_FALSE(fs::exists(directory / "data"));
}

TEST_F(FileTokenStoreTest, needs_one_lock_file_for_all_accounts) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(store.lock(std::to_string(i), {}));
  EXPECT_THAT(names_in(path), ElementsAre("lock"));
}

TEST_F(FileTokenStoreTest, lies_where_the_process_is_then_where_its_name_is_a_relative_one) {
  const auto before = fs::current_path();
  fs::current_path(directory / ".");
  FileTokenStore relative("tokens/of/mine//");
  EXPECT_EQ(message(relative.save("anna", canary_token("1"))), "");
  EXPECT_EQ(kept(relative, "anna"), "canary-access-1");
  fs::current_path(before);
  EXPECT_THAT(names_in(directory / "tokens/of/mine"), ElementsAre(anna));
}

TEST_F(FileTokenStoreTest, skips_what_a_newer_version_added_to_the_format) {
  fs::create_directories(path);
  fs::permissions(path, fs::perms{0700});
  std::string text = anna_json;
  write(file, text.insert(1, R"("scopes":["a"],)"));
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
}

TEST_F(FileTokenStoreTest, has_a_field_for_why_the_refresh_token_was_refused_only_where_it_was) {
  StoredToken token = canary_token("1");
  token.refused = "invalid_grant";
  EXPECT_TRUE(store.save("anna", token));
  EXPECT_EQ(text_of(file), with(R"("shop")", R"("shop","refused":"invalid_grant")"));
  save_anna();
  EXPECT_EQ(text_of(file), anna_json);
}

// ---- what is refused

struct Refused {
  const char* name;
  std::function<void(const std::string& directory, const std::string& file)> spoil;
  std::vector<std::string> why;
  bool needs_root = false;
};
void PrintTo(const Refused& row, std::ostream* out) { *out << row.name; }

class FileTokenStoreRefuses : public ::testing::TestWithParam<Refused> {
 protected:
  void SetUp() override {
    if (GetParam().needs_root && geteuid() != 0) GTEST_SKIP() << "only root gives a file to somebody else";
    ASSERT_TRUE(store.save("anna", canary_token("1")));
    GetParam().spoil(path, file);
  }
  static void expect_refused(const std::string& said) {
    EXPECT_THAT(said, HasSubstr("cannot be used: "));
    for (const std::string& why : GetParam().why) EXPECT_THAT(said, HasSubstr(why));
  }

  const TemporaryDirectory directory;
  const std::string path = directory / "tokens";
  const std::string file = path + "/" + anna;
  FileTokenStore store{path};
};

using FileTokenStoreThreads = FileTokenStoreTest;

using FileTokenStoreFile = FileTokenStoreRefuses;
TEST_P(FileTokenStoreFile, that_cannot_be_used_is_refused_left_as_it_is_and_forgotten_when_told) {
  const auto status = [&] {
    struct stat now {};
    lstat(file.c_str(), &now);
    return std::tuple(now.st_ino, now.st_mode, now.st_uid, now.st_size, now.st_mtim.tv_nsec);
  };
  const auto before = status();
  expect_refused(refusal(store.load("anna")));
  expect_refused(refusal(store.save("anna", canary_token("2"))));
  const auto accounts = store.accounts();
  ASSERT_TRUE(accounts) << accounts.error();
  ASSERT_EQ(accounts->size(), 1U);
  EXPECT_EQ(accounts->front().name, "");
  expect_refused(refusal(accounts->front().token));
  EXPECT_THAT(message(accounts->front().token), HasSubstr(file));
  EXPECT_EQ(status(), before);
  EXPECT_THAT(names_in(path), ElementsAre(anna));

  if (fs::is_directory(file)) return;  // nobody empties a directory for that
  EXPECT_EQ(message(store.remove("anna")), "");
  EXPECT_THAT(names_in(path), IsEmpty());
}
const auto chmod_file = [](unsigned mode) {
  return [mode](const std::string&, const std::string& file) { fs::permissions(file, fs::perms{mode}); };
};
const Refused refused_files[] = {
    {"a_group_reads", chmod_file(0640), {"others may read or write it", "chmod 600"}},
    {"a_group_writes", chmod_file(0620), {"others may read or write it", "chmod 600"}},
    {"others_read", chmod_file(0604), {"others may read or write it", "chmod 600"}},
    {"others_write", chmod_file(0602), {"others may read or write it", "chmod 600"}},
    {"is_a_link",
     [](const auto& directory, const auto& file) {
       fs::rename(file, directory + "/../tokens.elsewhere");
       fs::create_symlink("../tokens.elsewhere", file);
     },
     {"a symbolic link", "put that in its place"}},
    {"is_a_link_to_nothing",
     [](const auto&, const auto& file) {
       fs::remove(file);
       fs::create_symlink("nothing", file);
     },
     {"a symbolic link", "put that in its place"}},
    {"is_a_directory",
     [](const auto&, const auto& file) {
       fs::remove(file);
       fs::create_directory(file);
     },
     {"not a regular file", "move it away"}},
    {"is_a_pipe",
     [](const auto&, const auto& file) {
       fs::remove(file);
       mkfifo(file.c_str(), 0600);
     },
     {"not a regular file", "move it away"}},
    {"is_large",
     [](const auto&, const auto& file) { write(file, std::string((std::size_t{1} << 20) + 1, ' ')); },
     {"larger than 1 MiB", "move it away"}},
    {"is_newer",
     [](const auto&, const auto& file) { write(file, R"({"connectid_token":2,"canary":1})"); },
     {"a newer version", "use that one"}},
    {"is_anothers",
     [](const auto&, const auto& file) { EXPECT_EQ(chown(file.c_str(), 1234, 1234), 0); },
     {"belongs to another user", "id 1234", "change its owner"},
     true},
};
INSTANTIATE_TEST_SUITE_P(Table, FileTokenStoreFile, ::testing::ValuesIn(refused_files),
                         [](const auto& row) { return row.param.name; });

class FileTokenStoreLeftover : public FileTokenStoreRefuses {
 protected:
  void SetUp() override {
    if (GetParam().needs_root && geteuid() != 0) GTEST_SKIP() << "only root gives a file to somebody else";
    ASSERT_TRUE(store.save("anna", canary_token("1")));
    write(left, anna_2_json);
    GetParam().spoil(path, left);
  }
  const std::string left = file + ".new";
};
TEST_P(FileTokenStoreLeftover, that_cannot_be_used_is_refused_left_as_it_is_and_forgotten_when_told) {
  const auto status = [&] {
    struct stat now {};
    lstat(left.c_str(), &now);
    return std::tuple(now.st_ino, now.st_mode, now.st_uid, now.st_size, now.st_mtim.tv_nsec);
  };
  const auto before = status();
  for (int i = 0; i < 2; ++i) {
    const std::string said = refusal(store.lock("anna", {}));
    expect_refused(said);
    EXPECT_THAT(said, HasSubstr(left));
  }
  expect_refused(refusal(store.save("anna", canary_token("3"))));
  EXPECT_EQ(status(), before);
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
  EXPECT_EQ(store.accounts().value().size(), 1U);
  EXPECT_TRUE(store.lock("kari", {}));

  if (fs::is_directory(left)) return;
  EXPECT_EQ(message(store.remove("anna")), "");
  EXPECT_TRUE(store.lock("anna", {}));
  EXPECT_THAT(names_in(path), ElementsAre("lock"));
}
INSTANTIATE_TEST_SUITE_P(Table, FileTokenStoreLeftover, ::testing::ValuesIn(refused_files),
                         [](const auto& row) { return row.param.name; });

class FileTokenStoreDirectory : public FileTokenStoreRefuses {};
TEST_P(FileTokenStoreDirectory, that_cannot_be_used_is_refused) {
  expect_refused(refusal(store.load("anna")));
  expect_refused(refusal(store.save("anna", canary_token("2"))));
  expect_refused(refusal(store.remove("anna")));
  expect_refused(refusal(store.lock("anna", {})));
  expect_refused(refusal(store.accounts()));
  EXPECT_THAT(refusal(store.load("anna")), HasSubstr(path));
}
const auto chmod_directory = [](unsigned mode) {
  return [mode](const std::string& directory, const std::string&) { fs::permissions(directory, fs::perms{mode}); };
};
const Refused refused_directories[] = {
    {"a_group_reads", chmod_directory(0750), {"others may read or write it", "chmod 700"}},
    {"others_write", chmod_directory(0703), {"others may read or write it", "chmod 700"}},
    {"is_a_link",
     [](const auto& directory, const auto&) {
       fs::rename(directory, directory + ".real");
       fs::create_symlink(directory + ".real", directory);
     },
     {"a symbolic link", "name what it leads to"}},
    {"is_a_file",
     [](const auto& directory, const auto&) { write(directory, ""); },
     {"not a directory", "move it away"}},
    {"is_anothers",
     [](const auto& directory, const auto&) { EXPECT_EQ(chown(directory.c_str(), 1234, 1234), 0); },
     {"belongs to another user", "id 1234"},
     true},
};
INSTANTIATE_TEST_SUITE_P(Table, FileTokenStoreDirectory, ::testing::ValuesIn(refused_directories),
                         [](const auto& row) { return row.param.name; });

TEST(FileTokenStoreDirectoryName, that_no_directory_can_have_is_refused) {
  using namespace std::string_literals;
  const TemporaryDirectory directory;
  write(directory / "file", "");
  const std::pair<std::string, const char*> names[] = {{"", "has no name"},
                                                       {directory / "to\0kens"s, "a zero byte"},
                                                       {directory / "file/tokens", "Not a directory"},
                                                       {directory / std::string(300, 'a'), "too long"},
                                                       {"/proc/tokens", "/proc/tokens\" cannot be used: "}};
  for (const auto& [name, why] : names) {
    FileTokenStore store(name);
    EXPECT_THAT(refusal(store.save("anna", canary_token("1"))), HasSubstr(why));
    EXPECT_THAT(refusal(store.lock("anna", {})), HasSubstr(why));
  }
}

TEST_F(FileTokenStoreTest, refuses_a_lock_file_that_is_not_its_owners_alone) {
  save_anna();
  write(path + "/lock", "");
  fs::permissions(path + "/lock", fs::perms{0660});
  EXPECT_THAT(lock_refusal(), HasSubstr("chmod 600"));
  fs::remove(path + "/lock");
  fs::create_symlink(anna, path + "/lock");
  EXPECT_THAT(lock_refusal(), HasSubstr("symbolic link"));
}

TEST_F(FileTokenStoreTest, refuses_what_it_cannot_write_without_a_loss) {
  const std::string no_text = "\xff";
  EXPECT_THAT(refusal(store.load(no_text)), HasSubstr("is not UTF-8"));
  EXPECT_THAT(refusal(store.save(no_text, canary_token("1"))), HasSubstr("is not UTF-8"));
  EXPECT_THAT(refusal(store.save("anna", {.refresh_token = no_text})), HasSubstr("is not UTF-8"));
  EXPECT_THAT(refusal(store.save("anna", {.refresh_token = "canary", .client_id = no_text})), HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(store.save("anna", {.refresh_token = "canary", .refused = no_text})), HasSubstr("not UTF-8"));
  for (const Timestamp time : {Timestamp{-1ms}, Timestamp::max(), Timestamp::min()}) {
    EXPECT_THAT(refusal(store.save("anna", {.obtained_at = time, .refresh_token = "canary"})), HasSubstr("a time"));
    EXPECT_THAT(refusal(store.save("anna", {.expires_at = time, .refresh_token = "canary"})), HasSubstr("a time"));
  }
  const std::string long_text = "canary" + std::string(std::size_t{1} << 20, 'a');
  EXPECT_THAT(refusal(store.save("anna", {.refresh_token = long_text})), HasSubstr("it would be larger than 1 MiB"));
  EXPECT_THAT(names_in(path), IsEmpty());
}

// ---- what is broken

struct Broken {
  const char* name;
  std::string text;
  const char* why;
};
void PrintTo(const Broken& row, std::ostream* out) { *out << row.name; }

class FileTokenStoreBrokenFile : public ::testing::TestWithParam<Broken> {};
TEST_P(FileTokenStoreBrokenFile, takes_a_new_login_and_is_kept_aside) {
  const TemporaryDirectory directory;
  const std::string path = directory / "tokens", file = path + "/" + anna;
  FileTokenStore store(path);
  ASSERT_TRUE(store.save("anna", canary_token("1")));
  write(file, GetParam().text);

  const auto loaded = store.load("anna");
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().kind(), ErrorKind::token_error);
  EXPECT_TRUE(loaded.error().get_if<TokenError>()->log_in_again);
  EXPECT_EQ(message(loaded), "the token file \"" + file + "\" is broken (" + GetParam().why +
                                 "), and is kept: log in again as account \"anna\"");
  const auto accounts = store.accounts();
  ASSERT_TRUE(accounts && accounts->size() == 1);
  EXPECT_EQ(message(accounts->front().token),
            "the token file \"" + file + "\" is broken (" + GetParam().why + "), and is kept");
  EXPECT_EQ(text_of(file), GetParam().text);

  EXPECT_EQ(message(store.save("anna", canary_token("2"))), "");
  EXPECT_EQ(kept(store, "anna"), "canary-access-2");
  EXPECT_EQ(text_of(file + ".broken"), GetParam().text);
  EXPECT_THAT(names_in(path), UnorderedElementsAre(anna, anna + ".broken"));
}
constexpr auto not_json = "it is not a JSON object";
constexpr auto no_token = "it is not a token";
constexpr auto wrong_field = "a field is missing or of another type";
const Broken broken_files[] = {
    {"empty", "", not_json},
    {"cut", anna_json.substr(0, anna_json.size() / 2), not_json},
    {"zeros", std::string(anna_json.size(), '\0'), not_json},
    {"more_behind_a_zero", anna_json + std::string("\0canary", 7), not_json},
    {"more_behind_it", anna_json + anna_json, not_json},
    {"not_json", "canary", not_json},
    {"not_utf8", with("shop", "\xff"), not_json},
    {"an_array", "[" + anna_json + "]", not_json},
    {"nested", std::string(1 << 20, '['), not_json},
    {"another_object", R"({"canary":1})", no_token},
    {"format_a_text", with(R"("connectid_token":1)", R"("connectid_token":"1")"), no_token},
    {"format_zero", with(R"("connectid_token":1)", R"("connectid_token":0)"), no_token},
    {"format_negative", with(R"("connectid_token":1)", R"("connectid_token":-1)"), no_token},
    {"format_alone", R"({"connectid_token":1})", wrong_field},
    {"text_a_number", with(R"("canary-access-1")", "1"), wrong_field},
    {"text_null", with(R"("canary-refresh-1")", "null"), wrong_field},
    {"text_missing", with(R"(,"client_id":"shop")", ""), wrong_field},
    {"time_a_text", with("1775012407123", R"("1775012407123")"), wrong_field},
    {"time_a_fraction", with("1775012407123", "1775012407.123"), wrong_field},
    {"time_negative", with("1775012407123", "-1"), wrong_field},
    {"time_too_large", with("1775055607123", "253402300800000"), wrong_field},
    {"time_beyond_any", with("1775055607123", "99999999999999999999"), wrong_field},
    {"refused_a_number", with(R"("shop")", R"("shop","refused":400)"), wrong_field},
    {"refused_null", with(R"("shop")", R"("shop","refused":null)"), wrong_field},
    {"time_missing", with(R"("expires_at":1775055607123,)", ""), wrong_field},
    {"of_another_account", with(R"("account":"anna")", R"("account":"kari")"), "it is of another account"},
};
INSTANTIATE_TEST_SUITE_P(Table, FileTokenStoreBrokenFile, ::testing::ValuesIn(broken_files),
                         [](const auto& row) { return row.param.name; });

TEST_F(FileTokenStoreTest, overwrites_nothing_that_was_kept_aside) {
  save_anna();
  for (const char* text : {"first", "second", "third"}) {
    write(file, text);
    save_anna();
  }
  EXPECT_EQ(text_of(file + ".broken"), "first");
  EXPECT_EQ(text_of(file + ".broken2"), "second");
  EXPECT_EQ(text_of(file + ".broken3"), "third");
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
  EXPECT_TRUE(store.remove("anna"));
  EXPECT_THAT(names_in(path), UnorderedElementsAre(anna + ".broken", anna + ".broken2", anna + ".broken3"));
}

// ---- crashes and disks

TEST_F(FileTokenStoreTest, drops_what_a_crash_left_where_it_is_not_whole) {
  save_anna();
  std::vector<std::string> none = {std::string(anna_json.size(), '\0'), anna_2_json + anna_2_json, "{}",
                                   with(R"("account":"anna")", R"("account":"kari")"),
                                   with(R"("connectid_token":1)", R"("connectid_token":0)")};
  for (std::size_t size = 0; size + 1 < anna_2_json.size(); ++size) none.push_back(anna_2_json.substr(0, size));
  none.pop_back();  // whole but for the line feed
  for (const std::string& text : none) {
    write(file + ".new", text);
    EXPECT_EQ(kept(store, "anna"), "canary-access-1");
    EXPECT_TRUE(store.lock("anna", {}));
    EXPECT_THAT(names_in(path), UnorderedElementsAre(anna, "lock")) << text;
    EXPECT_EQ(text_of(file), anna_json);
  }
  write(file + ".new", "half");
  save_anna("2");
  write(file + ".new", "half");
  EXPECT_EQ(kept(store, "anna"), "canary-access-2");
  EXPECT_TRUE(store.remove("anna"));
  EXPECT_THAT(names_in(path), ElementsAre("lock"));
}

TEST_F(FileTokenStoreTest, has_what_a_crash_left_whole_once_the_lock_is_had) {
  save_anna();
  const std::string before[] = {anna_json, "broken", ""};  // the last: there was none
  for (const std::string& old : before) {
    write(file, old);
    if (old.empty()) fs::remove(file);
    write(file + ".new", anna_2_json);
    EXPECT_NE(kept(store, "anna"), "canary-access-2");  // it may be being written: only the lock tells
    EXPECT_EQ(store.accounts().value().size(), old.empty() ? 0U : 1U);
    EXPECT_TRUE(store.lock("kari", {}));
    EXPECT_TRUE(fs::exists(file + ".new"));
    EXPECT_TRUE(store.lock("anna", {}));
    EXPECT_EQ(text_of(file), anna_2_json);
    EXPECT_FALSE(fs::exists(file + ".new"));
  }
  EXPECT_EQ(text_of(file + ".broken"), "broken");
  EXPECT_THAT(names_in(path), UnorderedElementsAre(anna, anna + ".broken", "lock"));
}

TEST_F(FileTokenStoreTest, forgets_what_a_crash_left_whole_with_its_account) {
  save_anna();
  write(file + ".new", anna_2_json);
  EXPECT_TRUE(store.remove("anna"));
  EXPECT_TRUE(store.lock("anna", {}));
  EXPECT_EQ(kept(store, "anna"), "none");
}

TEST_F(FileTokenStoreTest, puts_nothing_in_its_place_that_cannot_be_synced) {
  save_anna();
  write(file + ".new", anna_2_json);
  {
    const Disk failing([](int) { return errno = EIO, -1; });
    EXPECT_THAT(failure(store.lock("anna", {})), HasSubstr(".new\" cannot be used: Input/output error"));
  }
  EXPECT_EQ(text_of(file), anna_json);
  EXPECT_EQ(text_of(file + ".new"), anna_2_json);
  std::vector<std::string> synced;
  const Disk own([&](int fd) {
    synced.push_back(fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).string() + " " + kept(store, "anna"));
    return 0;
  });
  EXPECT_TRUE(store.lock("anna", {}));  // and the one before is held no more
  EXPECT_THAT(synced, ElementsAre(file + ".new canary-access-1", path + " canary-access-2"));
}

/// Whoever saves again in the same lock may have something newer still, and may die or fail at it.
TEST_F(FileTokenStoreTest, loses_nothing_of_a_save_that_failed_once_it_had_written) {
  save_anna();
  {
    const Disk moved([&](int) {  // at this moment somebody puts a directory there
      fs::remove(file);
      return fs::create_directory(file) ? 0 : -1;
    });
    EXPECT_THAT(refusal(store.save("anna", canary_token("2"))), HasSubstr("not a regular file"));
  }
  EXPECT_EQ(text_of(file + ".new"), anna_2_json);
  EXPECT_THAT(lock_refusal(), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal(store.save("anna", canary_token("3"))), HasSubstr("not a regular file"));
  EXPECT_EQ(text_of(file + ".new"), anna_2_json);
  fs::remove(file);
  {
    const FullDisk full(100);
    EXPECT_THAT(failure(store.save("anna", canary_token("3"))), HasSubstr("too large"));
  }
  EXPECT_EQ(text_of(file), anna_2_json);
  save_anna("3");
  EXPECT_EQ(kept(store, "anna"), "canary-access-3");
}

TEST_F(FileTokenStoreTest, follows_no_link_where_it_writes) {
  save_anna();
  write(directory / "tokens.elsewhere", anna_2_json);
  fs::create_symlink(directory / "tokens.elsewhere", file + ".new");
  EXPECT_THAT(refusal(store.save("anna", canary_token("3"))), HasSubstr("symbolic link"));
  EXPECT_THAT(lock_refusal(), HasSubstr("symbolic link"));
  EXPECT_EQ(text_of(directory / "tokens.elsewhere"), anna_2_json);
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
}

/// The files that are synced, and what the directory holds then.
TEST_F(FileTokenStoreTest, is_on_the_disk_when_a_save_returns) {
  std::vector<std::string> synced;
  const Disk own([&](int fd) {
    const std::string name = fs::read_symlink("/proc/self/fd/" + std::to_string(fd));
    std::string holds;
    for (const std::string& each : names_in(path)) holds += ' ' + each + '=' + text_of(path + "/" + each);
    synced.push_back(name + holds);
    return 0;
  });
  save_anna();
  const std::string parent = fs::path(directory / "data").parent_path();
  EXPECT_THAT(synced, ElementsAre(parent, directory / "data", file + ".new " + anna + ".new=" + anna_json,
                                  path + " " + anna + "=" + anna_json));
  synced.clear();
  EXPECT_TRUE(store.remove("anna"));
  EXPECT_THAT(synced, ElementsAre(path));
}

TEST_F(FileTokenStoreTest, keeps_the_old_token_where_the_new_one_cannot_be_synced) {
  save_anna();
  write(file + ".new", "half");
  {
    const Disk failing([](int) { return errno = EIO, -1; });
    EXPECT_THAT(failure(store.save("anna", canary_token("2"))), HasSubstr("Input/output error"));
  }
  EXPECT_THAT(names_in(path), ElementsAre(anna));
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
}

TEST_F(FileTokenStoreTest, says_so_where_its_directory_cannot_be_synced) {
  save_anna();
  int error = EIO;
  const Disk failing([&](int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? (errno = error, -1) : 0;
  });
  EXPECT_THAT(failure(store.save("anna", canary_token("2"))), HasSubstr("its directory: Input/output error"));
  EXPECT_THAT(failure(store.remove("anna")), HasSubstr("its directory: Input/output error"));
  error = EINVAL;  // a file system where there is nothing to do for a directory
  save_anna("3");
}

TEST_F(FileTokenStoreTest, keeps_the_old_token_while_the_disk_is_full) {
  save_anna();
  for (const std::uintmax_t room : {100U, 0U}) {
    const FullDisk full(room);
    EXPECT_THAT(failure(store.save("anna", canary_token("2"))), HasSubstr("too large"));
    EXPECT_THAT(names_in(path), ElementsAre(anna));
  }
  EXPECT_EQ(kept(store, "anna"), "canary-access-1");
  save_anna("2");
}

TEST_F(FileTokenStoreTest, keeps_aside_what_is_broken_only_once_the_new_token_is_on_the_disk) {
  save_anna();
  write(file, "broken");
  {
    const Disk failing([](int) { return errno = EIO, -1; });
    EXPECT_THAT(failure(store.save("anna", canary_token("2"))), HasSubstr("Input/output error"));
  }
  EXPECT_THAT(names_in(path), ElementsAre(anna));
  EXPECT_EQ(text_of(file), "broken");
}

// ---- locks

TEST_F(FileTokenStoreTest, lets_a_lock_go_that_a_child_of_the_process_has_inherited) {
  auto lock = store.lock("anna", {});
  ASSERT_TRUE(lock);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  lock = TokenStore::Lock();
  EXPECT_EQ(lock_refusal(), "");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(FileTokenStoreTest, has_a_lock_on_the_file_that_took_the_place_of_the_one_that_was_waited_for) {
  const auto of_the_old_file = store.lock("anna", {});
  ASSERT_TRUE(of_the_old_file);
  std::jthread cleaner([&] {
    std::this_thread::sleep_for(20ms);
    fs::remove(path + "/lock");
  });
  const auto lock = store.lock("anna", {.deadline = Clock::now() + 10s});
  ASSERT_TRUE(lock) << lock.error();
  const auto next = store.lock("anna", {});
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().kind(), ErrorKind::deadline_exceeded);
}

/// Each deletes the file at the end of its turn: another has it open by then, and locks what nobody else will open.
TEST_F(FileTokenStoreThreads, take_a_lock_one_at_a_time_whoever_replaces_the_file) {
  std::atomic<int> inside = 0, turns = 0, together = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 4; ++i) {
      all.emplace_back([&] {
        while (turns < 4000) {
          const auto lock = store.lock("anna", {.deadline = Clock::now() + 10s});
          if (!lock) return;
          if (++inside > 1) ++together;
          std::this_thread::sleep_for(std::chrono::microseconds{20});
          ++turns;
          --inside;
          fs::remove(path + "/lock");
        }
      });
    }
  }
  EXPECT_GE(turns, 4000);
  EXPECT_EQ(together, 0);
}

// ---- all accounts

TEST_F(FileTokenStoreTest, lists_its_accounts_by_their_names_and_what_cannot_be_used) {
  for (const char* name : {"kari", "anna", "../x", "Åse", ""}) ASSERT_TRUE(store.save(name, canary_token(name)));
  EXPECT_EQ(lock_refusal(), "");
  write(file + ".broken", "canary");
  write(file + ".new", "canary");
  write(path + "/b.json", "canary");
  write(path + "/a.json", anna_json);
  write(path + "/readme.txt", "canary");
  fs::create_directory(path + "/c.json");
  const auto accounts = store.accounts();
  ASSERT_TRUE(accounts) << accounts.error();
  std::vector<std::string> lines;
  for (const StoredAccount& account : *accounts) {
    EXPECT_TRUE(!account.token || equal(*account.token, canary_token(account.name)));
    lines.push_back(account.name + "|" + message(account.token));
  }
  EXPECT_THAT(lines, ElementsAre("|", AllOf(HasSubstr("c.json\" cannot be used: "), HasSubstr("not a regular file")),
                                 HasSubstr("a.json\" is broken (it is of another account), and is kept"),
                                 HasSubstr("b.json\" is broken (it is not a JSON object), and is kept"), "../x|",
                                 "anna|", "kari|", "Åse|"));
}

}  // namespace
}  // namespace connectid::auth
