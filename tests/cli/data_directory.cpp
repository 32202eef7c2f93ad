#include "input/data_directory.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace connectid::cli {
namespace {

void set(const char* name, const char* value) {
  if (value) {
    setenv(name, value, 1);
  } else {
    unsetenv(name);
  }
}

/// The environment is put back: other tests may run in this process, too.
class DataDirectory : public ::testing::Test {
 protected:
  DataDirectory() = default;
  ~DataDirectory() override {
    set("XDG_DATA_HOME", data_.empty() ? nullptr : data_.c_str());
    set("HOME", home_.empty() ? nullptr : home_.c_str());
  }
  [[nodiscard]] static std::string directory_with(const char* data, const char* home) {
    set("XDG_DATA_HOME", data);
    set("HOME", home);
    return data_directory().value();
  }

 private:
  static std::string value(const char* name) {
    const char* const text = std::getenv(name);
    return text ? text : "";
  }
  const std::string data_ = value("XDG_DATA_HOME");
  const std::string home_ = value("HOME");
};

TEST_F(DataDirectory, lies_in_xdg_data_home) { EXPECT_EQ(directory_with("/data", "/home/kari"), "/data/connectid"); }

TEST_F(DataDirectory, lies_at_home_where_that_is_no_absolute_path) {
  const std::string at_home = "/home/kari/.local/share/connectid";
  EXPECT_EQ(directory_with(nullptr, "/home/kari"), at_home);
  EXPECT_EQ(directory_with("", "/home/kari"), at_home);
  EXPECT_EQ(directory_with("data", "/home/kari"), at_home);
}

TEST_F(DataDirectory, lies_in_the_home_that_the_system_lists_where_there_is_no_other) {
  const passwd* const user = getpwuid(getuid());
  ASSERT_TRUE(user);
  const std::string listed = user->pw_dir + std::string("/.local/share/connectid");
  EXPECT_EQ(directory_with(nullptr, nullptr), listed);
  EXPECT_EQ(directory_with(nullptr, ""), listed);
  EXPECT_EQ(directory_with("", "home/kari"), listed);
}

}  // namespace
}  // namespace connectid::cli
