#include <connectid/secret.hpp>

#include <cstring>
#include <ostream>
#include <utility>

namespace connectid::inline v0 {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) *this = Secret(other);
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  text_ = std::move(other.text_);
  other.wipe();  // a short text is copied, not moved: it still stands in there
  return *this;
}

void Secret::wipe() noexcept {
  text_.resize(text_.capacity());              // what lies behind a text that was moved away or made shorter, too
  explicit_bzero(text_.data(), text_.size());  // memset on memory that is given up is dropped by the optimiser
  text_.clear();
}

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "[empty]" : "[redacted]");
}

}  // namespace connectid::inline v0
