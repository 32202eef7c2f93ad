// A line whose bytes are the sizes of the pieces in which the rest comes (`HEAD` at its front: the method), and a
// response: it is read in one way, however it is split, and what is whole is so by what its bytes say.
#include "http/response_reader.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/headers.hpp"
#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using detail::ResponseReader;
using State = ResponseReader::State;

constexpr detail::ResponseBounds bounds{.max_headers = 2000, .max_body = 1000};

ResponseReader read(std::string_view bytes, bool to_head) {
  ResponseReader reader(bounds, to_head);
  reader.take(bytes);
  return reader;
}

/// In pieces of these sizes, again and again; none: byte by byte.
ResponseReader read_in_pieces(std::string_view bytes, bool to_head, std::string_view sizes) {
  ResponseReader reader(bounds, to_head);
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const auto size = sizes.empty() ? 1 : std::max<std::size_t>(1, static_cast<unsigned char>(sizes[i % sizes.size()]));
    const std::string piece(bytes.substr(0, size));  // a copy: AddressSanitizer sees what is kept of it
    reader.take(piece);
    bytes.remove_prefix(piece.size());
  }
  return reader;
}

http::Headers headers_of(ResponseReader reader) { return std::move(reader).headers(); }

bool same(const ResponseReader& a, const ResponseReader& b) {
  const auto equal = [](const http::Header& x, const http::Header& y) {
    return x.name == y.name && x.value == y.value;
  };
  return a.state() == b.state() && a.begun() == b.begun() && a.headers_whole() == b.headers_whole() &&
         a.surplus() == b.surplus() && std::string_view(a.reason()) == b.reason() && a.status() == b.status() &&
         a.ends_with_the_connection() == b.ends_with_the_connection() && a.coded() == b.coded() &&
         a.keeps_alive() == b.keeps_alive() && a.keep_alive_timeout() == b.keep_alive_timeout() &&
         a.body() == b.body() && std::ranges::equal(headers_of(a), headers_of(b), equal);
}

void check_state(const ResponseReader& reader) {
  const bool refused = reader.state() == State::malformed || reader.state() == State::too_large;
  require(refused == (*reader.reason() != '\0'), "a reason is given for just what is refused");
  require(reader.body().size() <= bounds.max_body, "a body ends at its bound");
  require(!reader.surplus() || reader.state() == State::whole, "nothing is behind what is not whole");
  require(!reader.keeps_alive() || (reader.state() == State::whole && !reader.surplus()), "a connection is kept whole");
  require(!(reader.ends_with_the_connection() && reader.state() == State::whole), "only the close ends an open body");
  require(reader.headers_whole() || reader.body().empty(), "a body stands behind its headers");
  require(reader.headers_whole() || reader.state() != State::whole, "what is whole has its headers");
  const int status = reader.status();
  require(!reader.headers_whole() || (status >= 200 && status <= 999), "a response is a final one");
}

void check_headers(const http::Headers& headers) {
  std::size_t size = 0;
  for (const http::Header& header : headers) {
    const std::string& value = header.value;
    size += header.name.size() + value.size();
    require(detail::well_formed(header), "a field is one by the letter");
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value is of one line");
    require(value.empty() || (value.find_first_of(" \t") != 0 && value.find_last_of(" \t") != value.size() - 1),
            "a value has no space around it");
  }
  require(size <= bounds.max_headers, "headers end at their bound");
}

/// What is behind the first byte with which it is whole was not read.
std::size_t size_of_whole(std::string_view bytes, bool to_head) {
  ResponseReader reader(bounds, to_head);
  std::size_t size = 0;
  while (reader.state() == State::reading) reader.take(bytes.substr(size++, 1));
  return size;
}

void check_whole(const ResponseReader& reader, std::string_view bytes, bool to_head) {
  const std::string_view response = bytes.substr(0, size_of_whole(bytes, to_head));
  const ResponseReader alone = read(response, to_head);
  require(alone.state() == State::whole && alone.status() == reader.status() && alone.body() == reader.body(),
          "what is behind a response changes nothing of it");
  require(reader.surplus() == (response.size() < bytes.size()), "what is behind a response is noticed");
  for (std::size_t size = response.size(); size-- > 0;) {
    require(read(response.substr(0, size), to_head).state() == State::reading, "what was cut is not whole");
  }
  const http::Headers headers = headers_of(reader);
  const std::string* const length = http::find(headers, "Content-Length");
  const std::string* const coding = http::find(headers, "Transfer-Encoding");
  require(!(length && coding), "framing is not said in two ways");
  if (to_head || reader.status() == 204 || reader.status() == 304) {
    return require(reader.body().empty() && response.ends_with("\r\n\r\n"), "a response without a body has none");
  }
  require(length || coding, "what is whole said where it ends");
  if (coding) return require(detail::equal_ignoring_case(*coding, "chunked"), "the coding is chunked");
  require(!length->empty() && length->find_first_not_of("0123456789") == std::string::npos, "a length is of digits");
  require(std::stoull(*length) == reader.body().size(), "a body is as long as its length says");
  require(response.ends_with("\r\n\r\n" + reader.body()), "a body is what stands behind the blank line");
}

void check_refused(const ResponseReader& reader, std::string_view bytes) {
  ResponseReader more = reader;
  more.take(bytes);
  more.take("\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  require(same(more, reader), "what is refused stays refused");
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  std::string_view bytes = text_of(data, size);
  std::string_view sizes = take_line(bytes);
  const bool to_head = sizes.starts_with("HEAD");
  if (to_head) sizes.remove_prefix(4);
  const ResponseReader reader = read(bytes, to_head);
  require(same(reader, read_in_pieces(bytes, to_head, sizes)), "how a response is cut decides nothing");
  require(same(reader, read_in_pieces(bytes, to_head, "")), "byte by byte it is the same");
  check_state(reader);
  check_headers(headers_of(reader));
  if (reader.state() == State::whole) check_whole(reader, bytes, to_head);
  if (reader.state() != State::whole && reader.state() != State::reading) check_refused(reader, bytes);
  return 0;
}
