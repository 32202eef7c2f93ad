#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace connectid {

/// An empty directory that goes away by itself. What a test has written there and is no store of tokens (a name that
/// begins so) must hold no secret: those of the tests have the word `canary` in them, and so have all of the fake
/// server's.
class TemporaryDirectory {
 public:
  TemporaryDirectory() { path_ = mkdtemp(path_.data()); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    look_for_secrets();
    std::filesystem::remove_all(path_);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  void look_for_secrets() const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      const bool of_a_store = std::ranges::any_of(
          entry.path(), [](const std::filesystem::path& name) { return name.string().starts_with("tokens"); });
      if (of_a_store || !entry.is_regular_file()) continue;
      std::ifstream in(entry.path());
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      EXPECT_EQ(text.find("canary"), std::string::npos) << "a secret stands in " << entry.path();
    }
  }

  std::string path_ = std::filesystem::temp_directory_path() / "connectid-test-XXXXXX";
};

}  // namespace connectid
