#include "http/response_reader.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/number.hpp"
#include "base/text.hpp"
#include "http/headers.hpp"

namespace connectid::inline v0::detail {
namespace {

/// Without the optional whitespace around it (RFC 9110 section 5.6.3).
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the next element off the front of a comma list (RFC 9110 section 5.6.1), the comma with it; it may be empty.
std::string_view take_element(std::string_view& list) {
  const std::size_t comma = std::min(list.find(','), list.size());
  const std::string_view element = trimmed(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return element;
}

/// A field line (RFC 9112 section 5), in its bytes; or why it is none.
struct Field {
  const char* reason = nullptr;
  std::string_view name = {};
  std::string_view value = {};
  bool tab_behind = false;  // in the whitespace behind the value
};

Field field_in(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) return {"a header line is folded"};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {"a header line has no colon"};
  const std::string_view rest = line.substr(colon + 1);
  const std::size_t last = rest.find_last_not_of(" \t") + 1;
  const bool tab_behind = rest.find('\t', last) != std::string_view::npos;
  const Field field{nullptr, line.substr(0, colon), trimmed(rest), tab_behind};
  if (!is_token(field.name)) return {"a header's name is no token"};
  if (!is_field_value(field.value)) return {"a header's value holds a control character"};
  return field;
}

bool says_the_length(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding");
}

/// What a trailer must not say: where the message ends, whose it is, and how its body is to be read (RFC 9110 section
/// 6.5.1).
bool belongs_before_the_body(std::string_view name) {
  static constexpr std::array<std::string_view, 8> names{"Content-Length",   "Transfer-Encoding", "Host",
                                                         "Content-Encoding", "Content-Type",      "Content-Range",
                                                         "Trailer",          "Connection"};
  return std::ranges::any_of(names, [&](std::string_view one) { return equal_ignoring_case(name, one); });
}

}  // namespace

ResponseReader::ResponseReader(ResponseBounds bounds, bool to_head) noexcept : bounds_(bounds), to_head_(to_head) {}

ResponseReader::State ResponseReader::take(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  while (!bytes.empty() && state_ == State::reading) {
    switch (part_) {
      case Part::sized_body:
      case Part::chunk:
        take_body(bytes);
        break;
      case Part::open_body:
        take_open_body(bytes);
        break;
      case Part::chunk_end:
        take_chunk_end(bytes);
        break;
      default:
        take_lines(bytes);
    }
  }
  surplus_ = surplus_ || (state_ == State::whole && !bytes.empty());
  return state_;
}

ResponseReader::State ResponseReader::state() const noexcept { return state_; }
bool ResponseReader::begun() const noexcept { return begun_; }
bool ResponseReader::headers_whole() const noexcept { return headers_whole_; }
bool ResponseReader::surplus() const noexcept { return surplus_; }
const char* ResponseReader::reason() const noexcept { return reason_; }
int ResponseReader::status() const noexcept { return status_; }
bool ResponseReader::ends_with_the_connection() const noexcept { return part_ == Part::open_body; }
bool ResponseReader::coded() const noexcept { return said_.coded; }
bool ResponseReader::keeps_alive() const noexcept {
  return state_ == State::whole && !old_version_ && !said_.close && !surplus_;
}
std::optional<std::chrono::seconds> ResponseReader::keep_alive_timeout() const noexcept { return said_.timeout; }
http::Headers&& ResponseReader::headers() && noexcept { return std::move(headers_); }
std::string&& ResponseReader::body() && noexcept { return std::move(body_); }
const std::string& ResponseReader::body() const& noexcept { return body_; }

void ResponseReader::end(State state, const char* reason) noexcept {
  state_ = state;
  reason_ = reason;
}

/// One line, or what came of it. The bound comes before what the line says: however the bytes are split, the same one
/// of two faults is the first.
void ResponseReader::take_lines(std::string_view& bytes) {
  const std::size_t feed = bytes.find('\n');
  const bool ends = feed != std::string_view::npos;
  std::string_view line = bytes.substr(0, ends ? feed + 1 : feed);
  if (line.size() > bounds_.max_headers - header_bytes_) return end(State::too_large, "its headers are too large");
  header_bytes_ += line.size();
  bytes.remove_prefix(line.size());
  if (!ends || !line_.empty()) line = line_.append(line);
  if (!ends) return;
  if (!line.ends_with("\r\n")) return end(State::malformed, "a line ends in a bare LF");
  take_line(line.substr(0, line.size() - 2));
  line_.clear();
}

void ResponseReader::take_line(std::string_view line) {
  switch (part_) {
    case Part::status_line:
      return take_status_line(line);
    case Part::fields:
      return line.empty() ? end_fields() : take_field(line);
    case Part::chunk_size:
      return take_chunk_size(line);
    default:
      return line.empty() ? end(State::whole, "") : take_trailer(line);
  }
}

/// RFC 9112 section 4. The version is HTTP/1.1 or, as from some proxies, 1.0.
void ResponseReader::take_status_line(std::string_view line) {
  old_version_ = line.starts_with("HTTP/1.0 ");
  if (!old_version_ && !line.starts_with("HTTP/1.1 ")) return end(State::malformed, "it begins with no HTTP/1.1");
  const auto status = line.size() >= 12 ? number_in<unsigned>(line.substr(9, 3), 10) : std::nullopt;
  const std::string_view behind = line.substr(std::min<std::size_t>(line.size(), 12));
  if (!status || *status < 100 || (!behind.empty() && behind.front() != ' ')) {
    return end(State::malformed, "its status is no three digits");
  }
  if (!is_field_value(behind)) return end(State::malformed, "its reason phrase holds a control character");
  if (*status == 101) return end(State::malformed, "it changes to a protocol that nobody asked for");
  // HTTP/1.0 knows no interim responses (RFC 9110 section 15.2): one reader waits for another response, one does not.
  if (*status < 200 && old_version_) return end(State::malformed, "an interim response is of HTTP/1.0");
  status_ = static_cast<int>(*status);
  part_ = Part::fields;
}

void ResponseReader::take_field(std::string_view line) {
  const Field field = field_in(line);
  if (field.reason) return end(State::malformed, field.reason);
  // A tab is whitespace as a space is (RFC 9110 section 5.6.3), but llhttp to 8.1 takes it for a part of these values.
  if (field.tab_behind && says_the_length(field.name))
    return end(State::malformed, "a tab follows its length or coding");
  heed(field.name, field.value);
  if (status_ < 200 || state_ != State::reading) return;
  if (headers_.empty()) headers_.reserve(16);  // most responses have fewer
  headers_.push_back({std::string(field.name), std::string(field.value)});
}

void ResponseReader::take_trailer(std::string_view line) {
  const Field field = field_in(line);
  if (field.reason) return end(State::malformed, field.reason);
  if (belongs_before_the_body(field.name)) end(State::malformed, "a trailer says what only a header may say");
}

void ResponseReader::heed(std::string_view name, std::string_view value) {
  if (equal_ignoring_case(name, "Content-Length")) return heed_length(value);
  if (equal_ignoring_case(name, "Transfer-Encoding")) return heed_transfer_coding(value);
  if (equal_ignoring_case(name, "Connection")) return heed_connection(value);
  if (equal_ignoring_case(name, "Keep-Alive")) return heed_keep_alive(value);
  if (equal_ignoring_case(name, "Content-Encoding"))
    said_.coded = said_.coded || !equal_ignoring_case(value, "identity");
}

/// RFC 9110 section 8.6. One field of digits: a list or a second field, even of the same length, is refused.
void ResponseReader::heed_length(std::string_view value) {
  if (status_ < 200) return end(State::malformed, "an interim response has a Content-Length");
  if (said_.length) return end(State::malformed, "it has two Content-Lengths");
  if (said_.chunked) return end(State::malformed, "it has a Content-Length and a Transfer-Encoding");
  said_.length = number_in<std::uint64_t>(value, 10);
  if (!said_.length) end(State::malformed, "its Content-Length is no number");
}

/// RFC 9112 section 6.1. Only what every reader takes in one way: `chunked` alone.
void ResponseReader::heed_transfer_coding(std::string_view value) {
  if (status_ < 200 || status_ == 204)
    return end(State::malformed, "a response without a body has a Transfer-Encoding");
  if (old_version_) return end(State::malformed, "a response of HTTP/1.0 has a Transfer-Encoding");
  if (said_.chunked) return end(State::malformed, "it has two Transfer-Encodings");
  if (said_.length) return end(State::malformed, "it has a Content-Length and a Transfer-Encoding");
  said_.chunked = equal_ignoring_case(value, "chunked");
  if (!said_.chunked) end(State::malformed, "its Transfer-Encoding is not chunked");
}

/// RFC 9110 section 7.6.1. Empty elements are ignored, as its section 5.6.1.2 wants, but one token there must be.
void ResponseReader::heed_connection(std::string_view value) {
  bool any = false;
  while (!value.empty()) {
    const std::string_view option = take_element(value);
    if (option.empty()) continue;
    if (!is_token(option)) return end(State::malformed, "its Connection is no list of tokens");
    any = true;
    said_.close = said_.close || equal_ignoring_case(option, "close");
  }
  // After the message with a `close` the server closes, and a client reads no other (RFC 9112 section 9.6).
  if (said_.close && status_ < 200) return end(State::malformed, "an interim response closes the connection");
  if (!any) end(State::malformed, "its Connection is no list of tokens");
}

/// RFC 9112 appendix C.2.2 leaves its grammar open: the least `timeout` that can be read counts, the rest does not.
void ResponseReader::heed_keep_alive(std::string_view value) {
  static constexpr std::string_view name = "timeout=";
  while (!value.empty()) {
    const std::string_view parameter = take_element(value);
    if (!equal_ignoring_case(parameter.substr(0, name.size()), name)) continue;
    // 32 bits: 136 years, which a clock of nanoseconds can still add.
    const auto count = number_in<std::uint32_t>(parameter.substr(name.size()), 10);
    if (count)
      said_.timeout = std::min(said_.timeout.value_or(std::chrono::seconds::max()), std::chrono::seconds{*count});
  }
}

/// Where the body ends: RFC 9112 section 6.3.
void ResponseReader::end_fields() {
  if (status_ < 200) {
    said_ = {};
    part_ = Part::status_line;
    return;
  }
  headers_whole_ = true;
  if (to_head_ || status_ == 204 || status_ == 304) return end(State::whole, "");
  if (said_.chunked) {
    part_ = Part::chunk_size;
  } else if (!said_.length) {
    part_ = Part::open_body;
  } else if (*said_.length > bounds_.max_body) {
    end(State::too_large, "its body is too large");
  } else if (*said_.length == 0) {
    end(State::whole, "");
  } else {
    static constexpr std::uint64_t believed = 64 * 1024;  // of more, the memory is taken as the bytes come
    rest_ = *said_.length;
    body_.reserve(static_cast<std::size_t>(std::min(rest_, believed)));
    part_ = Part::sized_body;
  }
}

/// RFC 9112 section 7.1, without the extensions: nobody agreed on any, and what two readers take for one differs.
void ResponseReader::take_chunk_size(std::string_view line) {
  static constexpr std::size_t most_digits = 16;
  const auto size = line.size() <= most_digits ? number_in<std::uint64_t>(line, 16) : std::nullopt;
  if (!size) return end(State::malformed, "a chunk's size is no hexadecimal number");
  if (*size > bounds_.max_body - body_.size()) return end(State::too_large, "its body is too large");
  rest_ = *size;
  part_ = rest_ == 0 ? Part::trailers : Part::chunk;
}

void ResponseReader::take_body(std::string_view& bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(rest_, bytes.size()));
  body_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  rest_ -= size;
  if (rest_ > 0) return;
  if (part_ == Part::sized_body) return end(State::whole, "");
  part_ = Part::chunk_end;
  rest_ = 2;
}

/// What fits is kept, so that it is the same however the bytes are split.
void ResponseReader::take_open_body(std::string_view& bytes) {
  const std::string_view fitting = bytes.substr(0, bounds_.max_body - body_.size());
  body_.append(fitting);
  bytes.remove_prefix(fitting.size());
  if (!bytes.empty()) end(State::too_large, "its body is too large");
}

void ResponseReader::take_chunk_end(std::string_view& bytes) {
  if (bytes.front() != (rest_ == 2 ? '\r' : '\n')) {
    return end(State::malformed, "a chunk does not end where its size says");
  }
  bytes.remove_prefix(1);
  if (--rest_ == 0) part_ = Part::chunk_size;
}

}  // namespace connectid::inline v0::detail
