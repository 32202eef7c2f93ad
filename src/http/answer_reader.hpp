#pragma once

#include <connectid/http/transport.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace connectid::inline v0::http {

/// What the headers say of the body's end. libcurl is lenient here: it takes the last of several lengths, reads `0x11`
/// as 0, and reads to the close where a coding is not `chunked`. A success must not rest on such a guess.
enum class Framing { by_close, by_headers, contradictory };
[[nodiscard]] Framing framing_of(const Headers& headers);

/// A header line as its field; none where it is not one by the letter (RFC 9112 section 5).
[[nodiscard]] std::optional<Header> field_of(std::string_view line);

/// The three digits after the version of a status line; 0 where there are not just three, or it is no version.
[[nodiscard]] int status_of(std::string_view line);

/// Puts an answer together from what libcurl hands over: each header line whole, with its end, those of interim answers
/// and trailers among them; then the decoded body in pieces.
class AnswerReader {
 public:
  /// Both in bytes.
  AnswerReader(std::size_t max_headers, std::size_t max_body) : max_headers_(max_headers), max_body_(max_body) {}

  /// Why to end the transfer and close the connection; none: go on.
  [[nodiscard]] std::optional<Cause> take_header(std::string_view line);
  [[nodiscard]] std::optional<Cause> take_body(std::string_view bytes);

  [[nodiscard]] bool begun() const noexcept { return header_bytes_ > 0; }
  /// The blank line behind a final status was seen.
  [[nodiscard]] bool headers_whole() const noexcept { return headers_whole_; }
  [[nodiscard]] Framing framing() const { return odd_ ? Framing::contradictory : framing_of(headers_); }

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const Headers& headers() const& noexcept { return headers_; }
  [[nodiscard]] Headers&& headers() && noexcept { return std::move(headers_); }
  [[nodiscard]] const std::string& body() const& noexcept { return body_; }
  [[nodiscard]] std::string&& body() && noexcept { return std::move(body_); }

 private:
  void begin_section(std::string_view line);
  void end_section();

  std::size_t max_headers_;
  std::size_t max_body_;
  std::size_t header_bytes_ = 0;
  bool in_section_ = false;
  bool headers_whole_ = false;
  bool old_version_ = false;
  bool odd_ = false;  // the header sections hold what can be read in two ways
  int status_ = 0;
  Headers headers_;
  std::string body_;
};

}  // namespace connectid::inline v0::http
