// Any bytes as what libcurl hands over of an answer: line by line up to the end of the headers, the rest as body.
#include "http/answer_reader.hpp"

#include <algorithm>

#include "fuzzing.hpp"
#include "text.hpp"

namespace connectid::fuzz {
namespace {

using http::AnswerReader;
using http::Framing;

constexpr std::size_t max_headers = 2000;
constexpr std::size_t max_body = 1000;

struct Read {
  AnswerReader reader{max_headers, max_body};
  std::optional<Cause> refused = {};
  std::size_t header_bytes = 0;
};

/// The body comes in pieces of this size.
Read read(std::string_view bytes, std::size_t piece) {
  Read read;
  while (!bytes.empty() && !read.refused && !read.reader.headers_whole()) {
    const std::string_view before = bytes;
    take_line(bytes);
    const std::string_view line = before.substr(0, before.size() - bytes.size());
    read.header_bytes += line.size();
    read.refused = read.reader.take_header(line);
  }
  while (!bytes.empty() && !read.refused) {
    read.refused = read.reader.take_body(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return read;
}

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_headers(const AnswerReader& reader) {
  for (const http::Header& header : reader.headers()) {
    const std::string& value = header.value;
    require(!header.name.empty() && header.name.find_first_of(" \t:") == std::string::npos, "a name is a token");
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value is of one line");
    require(value.empty() || (value.find_first_of(" \t") != 0 && value.find_last_of(" \t") != value.size() - 1),
            "a value has no space around it");
  }
}

void check_framing(const AnswerReader& reader) {
  std::size_t codings = 0;
  bool chunked = false;
  const std::string* length = nullptr;
  bool one_length = true;
  for (const auto& [name, value] : reader.headers()) {
    if (detail::equal_ignoring_case(name, "Transfer-Encoding")) {
      ++codings;
      chunked = detail::equal_ignoring_case(value, "chunked");
    } else if (detail::equal_ignoring_case(name, "Content-Length")) {
      one_length = one_length && (!length || *length == value);
      length = &value;
    }
  }
  if (reader.framing() == Framing::by_close) require(codings == 0 && !length, "by close: nothing was said of the end");
  if (reader.framing() != Framing::by_headers) return;
  require(codings <= 1 && one_length, "framing is not said in two ways");
  require(codings == 1 ? chunked : length && digits(*length), "framing is `chunked` or a number");
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  const std::string_view bytes = text_of(data, size);
  const Read whole = read(bytes, bytes.size() + 1);
  const Read in_pieces = read(bytes, 7);
  require(whole.refused == in_pieces.refused, "how a body is cut into pieces decides nothing");
  require(whole.refused || whole.reader.body() == in_pieces.reader.body(), "a body is the sum of its pieces");
  require((whole.header_bytes > max_headers) <= whole.refused.has_value(), "headers end at their limit");
  require(whole.reader.body().size() <= max_body, "a body ends at its limit");
  require(whole.reader.status() >= 0 && whole.reader.status() <= 999, "a status has three digits");
  require(!whole.reader.headers_whole() || whole.reader.status() >= 200, "an interim answer is none");
  check_headers(whole.reader);
  check_framing(whole.reader);
  return 0;
}
