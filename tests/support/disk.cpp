#include "support/disk.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace {

std::function<int(int)> disk;  // NOLINT(cert-err58-cpp)

}  // namespace

extern "C" int fdatasync(int fd) { return disk ? disk(fd) : connectid::real_fdatasync(fd); }
extern "C" int fsync(int fd) { return disk ? disk(fd) : static_cast<int>(syscall(SYS_fsync, fd)); }

namespace connectid {

Disk::Disk(std::function<int(int)> own) { disk = std::move(own); }
Disk::~Disk() { disk = nullptr; }

int real_fdatasync(int fd) { return static_cast<int>(syscall(SYS_fdatasync, fd)); }

FullDisk::FullDisk(std::uintmax_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before_);
  const rlimit full{bytes, before_.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
}

FullDisk::~FullDisk() {
  setrlimit(RLIMIT_FSIZE, &before_);
  std::signal(SIGXFSZ, SIG_DFL);
}

}  // namespace connectid
