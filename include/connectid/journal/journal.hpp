#pragma once

#include <string_view>

#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/result.hpp>

namespace connectid::inline v0 {

/// What a journal is told of a call. The texts live as long as the call to the journal. No secret is among them.
struct JournalCall {
  std::string_view call_id = {};  ///< what is sent as `X-Request-Id`
  std::string_view method = {};   ///< `POST`
  std::string_view url = {};      ///< `https://…/v1/subscription`
  std::string_view body = {};     ///< the exact bytes that are sent
};

/// Where calls are written down before they leave, so that none is lost when the process dies. `FileJournal` is a ready
/// one. Both functions are called in the calling thread, from many threads at once.
class CONNECTID_API Journal {
 public:
  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  virtual ~Journal() = default;

  /// Before each attempt (1, 2, …): the request is valid, has its token and its slot; no byte of it has left. Returns
  /// once that is written down for good. An error, of whatever kind, or an exception ends the call: `journal_refused`,
  /// with the error's message, which is one line without secrets.
  [[nodiscard]] virtual Result<void> sending(const JournalCall& call, int attempt) = 0;

  /// After the last attempt of a call that `sending` was asked for, whatever it said. An exception changes nothing.
  virtual void ended(const JournalCall& call, Outcome outcome) = 0;
};

}  // namespace connectid::inline v0
