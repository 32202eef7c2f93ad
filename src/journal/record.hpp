#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <connectid/journal/journal.hpp>
#include <connectid/timestamp.hpp>

// One line of a FileJournal: a JSON object and the newline that ends it. `v` is the format. It is raised only where a
// reader of the old one would misunderstand; a new field or a new event leaves it as it is, and is skipped by those who
// do not know it.
//
//     {"v":1,"at":"2026-04-01T03:00:07.123Z","event":"sending","call_id":"…","attempt":1,"method":…,"url":…,"body":…}
//     {"v":1,"at":"2026-04-01T03:00:07.321Z","event":"ended","call_id":"…","outcome":"succeeded"}
namespace connectid::inline v0::detail {

/// In bytes. None longer is written, and so none longer must be read.
inline constexpr std::size_t longest_record = std::size_t{1} << 20;

/// Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string sending_line(const JournalCall& call, int attempt, Timestamp at);
[[nodiscard]] std::string ended_line(const JournalCall& call, Outcome outcome, Timestamp at);

struct Record {
  enum class Kind {
    sending,
    ended,
    other,         ///< nothing, or an event that a newer version added
    newer_format,  ///< not to be understood
    damaged,       ///< what a crash left of a line, or no line of a journal
  };
  Kind kind = Kind::damaged;
  bool after_half_a_line = false;  ///< what a crash left of another line stands before this one
  Timestamp at{};
  std::string call_id = {};
  int attempt = 0;  ///< of `sending`, as what follows
  std::string method = {};
  std::string url = {};
  std::string body = {};
  std::string outcome = {};  ///< of `ended`; maybe one that a newer version added
};

/// Whether a file that begins so can be a journal: not somebody's order, or a photograph.
[[nodiscard]] bool begins_as_journal(std::string_view text) noexcept;

/// `text` is without its newline.
[[nodiscard]] Record read_record(std::string_view text);

}  // namespace connectid::inline v0::detail
