#include "http/answer_reader.hpp"

#include <algorithm>
#include <charconv>

#include "http/headers.hpp"
#include "text.hpp"

namespace connectid::inline v0::http {
namespace {

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// `HTTP/1.1`, `HTTP/2`
bool is_version(std::string_view text) {
  const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  const bool minor = text.size() == 8 && text[6] == '.' && digit(7);
  return text.starts_with("HTTP/") && digit(5) && (text.size() == 6 || minor);
}

}  // namespace

Framing framing_of(const Headers& headers) {
  std::optional<std::string_view> coding;
  std::optional<std::string_view> length;
  for (const Header& header : headers) {
    const bool is_coding = detail::equal_ignoring_case(header.name, "Transfer-Encoding");
    if (!is_coding && !detail::equal_ignoring_case(header.name, "Content-Length")) continue;
    std::optional<std::string_view>& seen = is_coding ? coding : length;
    if (seen && (is_coding || *seen != header.value)) return Framing::contradictory;
    seen = header.value;
  }
  if (coding) return detail::equal_ignoring_case(*coding, "chunked") ? Framing::by_headers : Framing::contradictory;
  if (!length) return Framing::by_close;
  return number(headers, "Content-Length") ? Framing::by_headers : Framing::contradictory;
}

std::optional<Header> field_of(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_token(name) || !is_field_value(value)) return std::nullopt;
  return Header{std::string(name), std::string(value)};
}

int status_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_version(line.substr(0, space))) return 0;
  const std::string_view rest = line.substr(space + 1);
  int status = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), status);
  const bool three = error == std::errc() && status >= 0 && end == rest.data() + 3;
  return three && (rest.size() == 3 || rest[3] == ' ') ? status : 0;
}

std::optional<Cause> AnswerReader::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > max_headers_) return Cause::too_large;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (headers_whole_) {  // a trailer, or what libcurl took for one: a body behind a chunk size that it cannot read
    if (line.empty() || field_of(line)) return std::nullopt;
    return Cause::malformed;
  }
  if (!in_section_) {  // only here is it a status line: a field that looks like one is a field
    begin_section(line);
  } else if (line.empty()) {
    end_section();
  } else if (std::optional<Header> field = field_of(line)) {
    headers_.push_back(*std::move(field));
  } else {
    odd_ = true;  // a folded line, a space before the colon, a bare CR: libcurl may take it otherwise than we would
  }
  return std::nullopt;
}

void AnswerReader::begin_section(std::string_view line) {
  in_section_ = true;
  status_ = status_of(line);
  headers_.clear();
  headers_.reserve(16);  // most answers have fewer
  old_version_ = line.starts_with("HTTP/1.0");
}

void AnswerReader::end_section() {
  in_section_ = false;
  headers_whole_ = status_ >= 200;  // else interim: the answer is still to come
  if (!headers_whole_) odd_ = odd_ || framing_of(headers_) != Framing::by_close;
  odd_ = odd_ || (old_version_ && find(headers_, "Transfer-Encoding"));
}

std::optional<Cause> AnswerReader::take_body(std::string_view bytes) {
  if (!headers_whole_) return Cause::malformed;
  if (body_.size() + bytes.size() > max_body_) return Cause::too_large;
  body_.append(bytes);
  return std::nullopt;
}

}  // namespace connectid::inline v0::http
