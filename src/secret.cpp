#include <connectid/secret.hpp>

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
  text_.resize(text_.capacity());  // what lies behind a text that was moved away or made shorter, too
  // volatile: a plain loop over memory that is given up is dropped by the optimiser.
  volatile char* bytes = text_.data();
  for (std::size_t i = 0; i < text_.size(); ++i) bytes[i] = '\0';
  text_.clear();
}

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "[empty]" : "[redacted]");
}

}  // namespace connectid::inline v0
