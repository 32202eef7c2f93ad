#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace connectid::inline v0::detail {

std::optional<char32_t> take_code_point(std::string_view& text) noexcept {
  struct Form {
    unsigned char mask, lead;
    std::size_t size;
    char32_t least;
  };
  static constexpr std::array<Form, 4> forms{
      {{0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}}};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (const Form& form : forms) {
    if ((byte(0) & form.mask) != form.lead) continue;
    char32_t code = byte(0) & static_cast<unsigned char>(~form.mask);
    std::size_t read = 1;
    while (read < form.size && read < text.size() && (byte(read) & 0xC0) == 0x80)
      code = code << 6 | (byte(read++) & 0x3F);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (read < form.size || code < form.least || code > 0x10FFFF || surrogate) break;
    text.remove_prefix(read);
    return code;
  }
  text.remove_prefix(1);
  return std::nullopt;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    if (!take_code_point(text)) return false;
  }
  return true;
}

bool is_plain_ascii(std::string_view text) noexcept {
  bool plain = true;  // no early end: so it is done many bytes at a time
  for (const char c : text) plain &= c >= ' ' && c <= '~';
  return plain;
}

std::string printable(std::string_view text, std::size_t limit) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string line;
  while (!text.empty()) {
    const std::string_view before = text;
    const std::optional<char32_t> code = take_code_point(text);
    const std::string_view bytes = before.substr(0, before.size() - text.size());
    std::string shown;
    if (code && !is_control(*code)) {
      shown = bytes;
    } else {
      for (const char c : bytes) {
        const auto value = static_cast<unsigned char>(c);
        shown.append({'\\', 'x', digits[value >> 4], digits[value & 0xF]});
      }
    }
    if (line.size() + shown.size() > limit) return line + "...";
    line += shown;
  }
  return line;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return x == y || lower(x) == lower(y); });
}

std::string redact(std::string text, std::string_view secret, std::size_t shortest) {
  static constexpr std::string_view mark = "[redacted]";
  if (secret.empty() || secret.size() < shortest) return text;
  std::size_t at = text.find(secret);
  if (at == std::string::npos) return text;
  std::string shown;  // built anew: to replace in place takes time with the square of what a server may echo
  std::size_t from = 0;
  for (; at != std::string::npos; at = text.find(secret, from)) {
    shown.append(text, from, at - from).append(mark);
    from = at + secret.size();
  }
  return shown.append(text, from);
}

}  // namespace connectid::inline v0::detail
