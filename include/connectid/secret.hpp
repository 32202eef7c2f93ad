#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include <connectid/export.hpp>

namespace connectid::inline v0 {

/// Text that must not be printed: a token, a password. Streams and messages show `[redacted]`; only `reveal()`
/// gives the text, so every use of it can be found by searching for that word. The memory is overwritten when the
/// value is destroyed or replaced (copies that others made of `reveal()` are theirs to wipe).
class CONNECTID_API Secret {
 public:
  Secret() = default;
  Secret(std::string text) : text_(std::move(text)) {}
  Secret(std::string_view text) : text_(text) {}
  Secret(const char* text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  void wipe() noexcept;
  std::string text_;
};

CONNECTID_API std::ostream& operator<<(std::ostream& out, const Secret& secret);

}  // namespace connectid::inline v0
