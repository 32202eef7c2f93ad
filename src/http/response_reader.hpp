#pragma once

#include <chrono>
#include <connectid/http/transport.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace connectid::inline v0::detail {

/// How large a response may be, in bytes.
struct ResponseBounds {
  std::size_t max_headers;  ///< of all header sections, interim responses, trailers and chunk-size lines included
  std::size_t max_body;     ///< of the body, without its chunks' framing
};

/// Reads one response to one request: bytes go in as they come, in pieces of any size, and the same bytes give the same
/// response however they are split. HTTP/1.1 (RFC 9112) and 1.0, by the letter: whatever two readers could take in two
/// ways is malformed. No I/O.
class ResponseReader {
 public:
  enum class State {
    reading,    ///< more bytes are needed
    whole,      ///< the response ended where its framing said
    malformed,  ///< it is no response by the letter: `reason()`. Nothing of it is to be believed.
    too_large,  ///< a bound is passed
  };

  /// `to_head`: the request's method is HEAD, so that no body follows.
  ResponseReader(ResponseBounds bounds, bool to_head) noexcept;

  /// Takes what came, up to the end of the response; what is behind it makes `surplus()` true. Interim responses (1xx)
  /// are read and forgotten.
  State take(std::string_view bytes);
  [[nodiscard]] State state() const noexcept;

  [[nodiscard]] bool begun() const noexcept;          ///< a byte came
  [[nodiscard]] bool headers_whole() const noexcept;  ///< the blank line behind the final response's headers came
  [[nodiscard]] bool surplus() const noexcept;        ///< bytes came behind the response
  [[nodiscard]] const char* reason() const noexcept;  ///< malformed or too large: why, as the end of a sentence

  // Once the headers are whole:
  [[nodiscard]] int status() const noexcept;
  [[nodiscard]] bool ends_with_the_connection() const noexcept;  ///< no framing: only the close ends the body
  [[nodiscard]] bool coded() const noexcept;                     ///< in a content coding, which nobody asked for
  /// The connection can take another request after this response: it is whole, and nothing in it says otherwise.
  [[nodiscard]] bool keeps_alive() const noexcept;
  /// `Keep-Alive: timeout=N`: how long the server keeps the idle connection open.
  [[nodiscard]] std::optional<std::chrono::seconds> keep_alive_timeout() const noexcept;
  [[nodiscard]] http::Headers&& headers() && noexcept;
  [[nodiscard]] std::string&& body() && noexcept;
  [[nodiscard]] const std::string& body() const& noexcept;

 private:
  enum class Part : std::uint8_t { status_line, fields, sized_body, open_body, chunk_size, chunk, chunk_end, trailers };
  /// What the fields of one section say of its message.
  struct Said {
    bool chunked = false;
    bool close = false;
    bool coded = false;
    std::optional<std::uint64_t> length = {};  // bytes
    std::optional<std::chrono::seconds> timeout = {};
  };

  void take_lines(std::string_view& bytes);
  void take_line(std::string_view line);
  void take_status_line(std::string_view line);
  void take_field(std::string_view line);
  void take_trailer(std::string_view line);
  void heed(std::string_view name, std::string_view value);
  void heed_length(std::string_view value);
  void heed_transfer_coding(std::string_view value);
  void heed_connection(std::string_view value);
  void heed_keep_alive(std::string_view value);
  void end_fields();
  void take_chunk_size(std::string_view line);
  void take_body(std::string_view& bytes);
  void take_open_body(std::string_view& bytes);
  void take_chunk_end(std::string_view& bytes);
  void end(State state, const char* reason) noexcept;

  ResponseBounds bounds_;
  bool to_head_;
  bool begun_ = false;
  bool headers_whole_ = false;
  bool surplus_ = false;
  bool old_version_ = false;
  State state_ = State::reading;
  Part part_ = Part::status_line;
  int status_ = 0;
  const char* reason_ = "";
  std::size_t header_bytes_ = 0;
  std::uint64_t rest_ = 0;  // bytes to the end of the body, of the chunk, or of the CRLF behind it
  Said said_ = {};
  std::string line_ = {};  // the begin of a line whose end has not come
  http::Headers headers_ = {};
  std::string body_ = {};
};

}  // namespace connectid::inline v0::detail
