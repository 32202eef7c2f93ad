// Any bytes as the program's --json file: refused, or read as a JSON parser reads them; and what is sent reads back.
#include "input/request.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "support/fuzz_request.hpp"

namespace connectid::fuzz {
namespace {

/// A file in memory, emptied for each input.
const std::string& file_with(std::string_view bytes) {
  static const int fd = memfd_create("input", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const bool written = ftruncate(fd, 0) == 0 && pwrite(fd, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size());
  if (!written) throw std::runtime_error("no file in memory could be written");
  return path;
}

std::optional<StartSubscriptionRequest> read(std::string_view json) {
  cli::RequestArguments arguments;
  arguments.json_file = file_with(json);
  try {
    return cli::read_request(arguments, {});
  } catch (const cli::UsageError&) {
    return std::nullopt;
  }
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  using nlohmann::json;
  const std::string_view input = text_of(data, size);
  const auto request = read(input);
  json parsed = json::parse(input, nullptr, /*allow_exceptions=*/false);
  const bool to_its_end = input.find('\0') == std::string_view::npos;  // there the parser stops
  require(!request || (to_its_end && parsed.is_object()), "a request is a JSON object");
  if (!request) return 0;
  for (auto field = parsed.begin(); field != parsed.end();) field = field->is_null() ? parsed.erase(field) : ++field;
  require(same(*request, fields_of(parsed)), "a request is read as a JSON parser reads it");
  check_request(*request);
  const auto again = read(to_json(*request));
  require(!validate(*request).empty() || (again && same(*again, *request)), "what is sent can be read again");
  return 0;
}
