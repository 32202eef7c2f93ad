#pragma once

#include <string>

#include <connectid/error.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal.hpp>

namespace connectid::inline v0::detail {

/// On what condition an attempt may be repeated. Whether it holds, and whether there is time, is the Exchange's to see.
enum class Again {
  no,
  after_a_pause,          ///< it never had a connection
  when_the_server_says,   ///< refused for now
  with_another_token,     ///< refused for its token
  where_it_does_no_harm,  ///< it may have acted
};

struct Verdict {
  Word word = Word::unknown;
  ErrorKind kind = ErrorKind::unexpected_response;  ///< says nothing where the word is `started`
  Again again = Again::no;
  /// The answer that was cut says nothing; why it was cut is what there is to tell.
  bool for_the_cut = false;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// What the body of a 200 says, read by the endpoint's decoder.
struct Reading {
  bool whole_json = false;  ///< JSON from its first to its last byte
  std::string objection;    ///< why this body is no success; empty: none
  bool enough = false;      ///< all that was asked for stands in it, however the transfer ended
};

/// THE table, from how an attempt ended to what is true of it. Pure. `deadline_passed`: the call's own time is up.
[[nodiscard]] Verdict judge(const http::Answer& answer, const Reading& reading, bool deadline_passed) noexcept;
[[nodiscard]] Verdict judge(const http::Failure& failure, bool deadline_passed) noexcept;

}  // namespace connectid::inline v0::detail
