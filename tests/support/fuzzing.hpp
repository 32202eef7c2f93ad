// What the fuzz targets share. A target is one function: any bytes go in, and what it requires holds for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

/// libFuzzer's name for a target; 0: the input may go into the corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace connectid::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Makes this input a finding where the property does not hold.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n", property);
  std::abort();
}

/// Takes what stands before the next line feed, and the line feed, off the front.
inline std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// Told by other code than the library's own.
inline bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

/// UTF-8 without control characters.
inline bool is_printable(const std::string& text) {
  if (!is_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
  }
  return true;
}

/// Whether a body that is whole says that a subscription was started, as docs/outcomes.md has it.
inline bool says_started(const nlohmann::json& body) {
  const auto absent = [&](const char* name) { return !body.contains(name) || body[name].is_null(); };
  if (!body.is_object()) return false;
  for (const char* failure : {"exceptionType", "errorMessage", "error"}) {
    if (!absent(failure)) return false;
  }
  const bool succeeds = body.contains("success") && body["success"] == true;
  if (!absent("success") && !succeeds) return false;
  if (!body.contains("status")) return body.empty() || succeeds;
  return absent("status") || body["status"] == "OK";
}

}  // namespace connectid::fuzz
