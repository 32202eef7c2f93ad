#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace connectid {

/// An empty folder that goes away by itself.
class TemporaryFolder {
 public:
  TemporaryFolder() { path_ = mkdtemp(path_.data()); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "connectid-test-XXXXXX";
};

}  // namespace connectid
