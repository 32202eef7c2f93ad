#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <functional>

namespace connectid {

/// What the library's fdatasync and fsync do, for a test that has a disk of its own: as long as this lives.
struct Disk {
  explicit Disk(std::function<int(int)> own);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();
};

/// As ever.
int real_fdatasync(int fd);

/// No file of this process grows beyond so many bytes: what a full disk does to a write.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes);
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk();

 private:
  rlimit before_{};
};

}  // namespace connectid
