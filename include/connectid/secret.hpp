#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include <connectid/export.hpp>

namespace connectid::inline v0 {

/// Text that must not be printed: a token, a password. Streams and messages show `[redacted]`; only `reveal()`
/// gives the text, so every use of it can be found by searching for that word. The memory is overwritten when the
/// value is destroyed or replaced (copies that others made of `reveal()` are theirs to wipe). As thread-safe as a
/// std::string.
class CONNECTID_API Secret {
 public:
  Secret() = default;
  /// Of a text; implicit, so that an option takes a literal. What it was made of is the caller's to wipe.
  /// @{
  Secret(std::string text) : text_(std::move(text)) {}
  Secret(std::string_view text) : text_(text) {}
  Secret(const char* text) : text_(text) {}
  /// @}
  /// A copy is another place in memory, wiped in its own time; what was moved from is empty and wiped.
  /// @{
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  /// @}
  ~Secret() {
    if (!empty()) wipe();  // what was moved from is wiped already
  }

  /// The text itself. Never print or log it.
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
  /// Whether there is no text.
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  /// Compares the texts, not in constant time.
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  void wipe() noexcept;
  std::string text_;
};

/// Prints `[redacted]`, or `[empty]`.
CONNECTID_API std::ostream& operator<<(std::ostream& out, const Secret& secret);

}  // namespace connectid::inline v0
