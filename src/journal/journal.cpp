#include <connectid/journal/journal.hpp>

#include <ostream>

namespace connectid::inline v0 {

std::string_view to_string(Word word) noexcept {
  switch (word) {
    case Word::started:
      return "started";
    case Word::not_sent:
      return "not_sent";
    case Word::rejected:
      return "rejected";
    case Word::unknown:
      return "unknown";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, Word word) { return out << to_string(word); }

}  // namespace connectid::inline v0
