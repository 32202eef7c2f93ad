// Any bytes as a line of a journal, and as the texts of a call: what is written is read again, and no half of it is.
#include "journal/record.hpp"

#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using detail::read_record;
using detail::Record;
using Kind = Record::Kind;

std::string_view without_newline(std::string_view line) {
  require(line.find('\n') == line.size() - 1, "a line is one line");
  return line.substr(0, line.size() - 1);
}

/// Behind what a crash left of a line it is read, too.
Record read_whole_and_truncated(std::string_view line) {
  const Record whole = read_record(line);
  const std::string half(line.substr(0, line.size() / 2));
  require(read_record(half).kind == Kind::damaged, "half a line is damaged");
  const Record behind = read_record(half + std::string(line));
  require(!whole.after_half_a_line && behind.after_half_a_line, "half a line is told of");
  require(behind.kind == whole.kind && behind.call_id == whole.call_id, "a line is read behind half a line");
  return whole;
}

/// `again`: each text is UTF-8, and so comes back as it was.
void check_written(const JournalCall& call, int attempt, Timestamp at, bool again) {
  const std::string sending = detail::sending_line(call, attempt, at);
  const std::string ended = detail::ended_line(call, Outcome::unknown, at);
  const Record sent = read_whole_and_truncated(without_newline(sending));
  const Record outcome = read_whole_and_truncated(without_newline(ended));
  require(sent.kind == Kind::sending && sent.attempt == attempt && sent.at == at, "what was sent is read again");
  require(outcome.kind == Kind::ended && outcome.outcome == "unknown" && outcome.at == at, "the word is read again");
  require(sent.call_id == outcome.call_id, "a call has one id");
  require(!again || (sent.call_id == call.call_id && sent.method == call.method && sent.url == call.url &&
                     sent.body == call.body),
          "each text is read again");
}

void check_read(std::string_view text) {
  const Record line = read_record(text);
  const bool understood = line.kind == Kind::sending || line.kind == Kind::ended;
  require(understood || (line.call_id.empty() && line.outcome.empty()), "what is not understood names no call");
  if (!understood) return;
  require(line.attempt >= 0, "attempts are counted");
  check_written({.call_id = line.call_id, .method = line.method, .url = line.url, .body = line.body}, line.attempt,
                line.at, true);
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  std::string_view input = text_of(data, size);
  const bool again = is_utf8(std::string(input));
  check_read(input);
  connectid::JournalCall call;
  call.call_id = take_line(input);
  call.method = take_line(input);
  call.url = take_line(input);
  call.body = input;  // the rest, with its line feeds
  check_written(call, 2, connectid::Timestamp{std::chrono::milliseconds{1775012407123}}, again);
  return 0;
}
