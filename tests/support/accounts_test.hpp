#pragma once

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "support/program_test.hpp"

namespace connectid::cli {

using Words = std::vector<std::string>;

/// Accounts that are kept from one run of the program to the next.
class AccountsTest : public ProgramTest {
 protected:
  using ProgramTest::ProgramTest;
  /// Without an access token; with the client of the fake server, and one data directory for all runs of the test.
  [[nodiscard]] Words variables(const Words& more = {}) const {
    Words all{"CONNECTID_API_URL=" + server.url(), "CONNECTID_LOGIN_URL=" + server.login_url(),
              "CONNECTID_CLIENT_ID=test-client", "CONNECTID_CLIENT_SECRET=test-secret", "XDG_DATA_HOME=" + (data / "")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] Words variables_without_secret(const Words& more = {}) const {
    Words all = variables(more);
    std::erase(all, "CONNECTID_CLIENT_SECRET=test-secret");
    return all;
  }
  /// No output but that of `token` may hold a secret; every token of the server has that word in it.
  static Ended without_secrets(Ended ended) {
    EXPECT_EQ((ended.out + ended.err).find("canary"), std::string::npos) << ended.out << ended.err;
    EXPECT_EQ((ended.out + ended.err).find("test-secret"), std::string::npos) << ended.out << ended.err;
    return ended;
  }
  [[nodiscard]] Ended run(Words arguments, const Words& more = {}, const Streams& streams = {}) const {
    return without_secrets(Program(std::move(arguments), variables(more), streams).wait());
  }
  void import(const std::string& account) {
    const Ended ended = run({"token", "import", "--account", account}, {}, {.in = server.log_in(account) + "\n"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(ended.out, "kept: the refresh token of account " + account + "\n");
  }
  [[nodiscard]] std::string token(const Words& more = {}) const {
    Words words{"token"};
    words.insert(words.end(), more.begin(), more.end());
    return Program(words, variables()).wait().out;
  }

  /// Of the only account.
  [[nodiscard]] std::filesystem::path token_file() const {
    for (const auto& file : std::filesystem::directory_iterator(data / "connectid/tokens")) {
      if (file.path().extension() == ".json") return file.path();
    }
    return {};
  }

  const TemporaryDirectory data;
};

/// An authorization server that every test of the suite is run against.
struct AuthorizationServer {
  const char* name;
  testing::FakeServerOptions options;
};
inline void PrintTo(const AuthorizationServer& row, std::ostream* out) { *out << row.name; }

inline std::vector<AuthorizationServer> authorization_servers() {
  return {{"replaces_refresh_tokens", {}},
          {"reuses_refresh_tokens", {.rotate_refresh_tokens = false}},
          {"like_spring", {.authorization_server = testing::AuthorizationServer::spring}}};
}

}  // namespace connectid::cli
