#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <connectid/export.hpp>
#include <connectid/secret.hpp>
#include <connectid/stage.hpp>

namespace connectid::inline v0::http {

/// One header field.
struct Header {
  std::string name = {};   ///< a token (RFC 9110 section 5.6.2), compared without case
  std::string value = {};  ///< without the spaces around it and without line breaks
};

/// Header fields in the order they are sent or came.
using Headers = std::vector<Header>;

/// The value of the first field of this name (compared without case, RFC 9110 section 5.1); null where there is none.
[[nodiscard]] CONNECTID_API const std::string* find(const Headers& headers, std::string_view name) noexcept;

/// What is to be sent.
struct Request {
  std::string method = {};    ///< `POST`
  std::string url = {};       ///< absolute; https, or http to a loopback host
  Headers headers = {};       ///< all but Authorization, Host and the body's framing
  Secret authorization = {};  ///< value of the Authorization header ("Bearer …"); empty: none. Never log `reveal()`.
  std::string body = {};      ///< empty: none
};

/// Why no whole response came.
struct Failure {
  Stage stage = Stage::prepare;  ///< how far the attempt had come
  Cause cause = Cause::other;    ///< why it ended there
  /// Whether a byte of the request may have been taken by a connection. `false` is a promise that the server cannot
  /// have acted; a transport that does not know says `true`.
  bool body_left = true;
  std::string text = {};  ///< one line for people; no secret
};

/// How much of a request had been taken by the connection when its response came. Less than all of it: an early
/// response.
enum class Left {
  head,   ///< part of it, and no byte of its body: the server cannot have acted on it
  part,   ///< some of its body
  whole,  ///< all of it
};

/// A connection that is kept for the repeat of a refused request. Opaque; it ends with its last owner, and is for one
/// attempt at a time.
class KeptConnection {
 public:
  KeptConnection() = default;
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;
  virtual ~KeptConnection() = default;
};

/// A response whose header section arrived whole (the blank line after it was seen); interim 1xx responses are not
/// responses.
struct Response {
  int status = 0;         ///< the final status, as it came
  Headers headers = {};   ///< of the final response, without trailers
  std::string body = {};  ///< without its chunks
  /// The response's framing said where it ends and it got there: Content-Length was met, or the last chunk or the end
  /// of the stream was seen. `false`: the body ended when the connection did.
  bool framed = false;
  std::optional<Failure> truncated = {};  ///< set where the body did not arrive whole, or cannot be read: why
  Left left = Left::whole;                ///< how much of the request had left when it came

  /// Of a 401 or 429, where a repeat should go out on the same connection: give it back in `Limits::connection`. Null:
  /// the transport does not care.
  std::shared_ptr<KeptConnection> connection = {};
};

/// What came of one attempt.
using AttemptResult = std::variant<Response, Failure>;

/// How long one attempt may take.
struct Limits {
  /// When it ends at the latest; max(): never.
  std::chrono::steady_clock::time_point deadline = (std::chrono::steady_clock::time_point::max)();
  std::chrono::milliseconds connect_timeout{10'000};  ///< name, TCP, proxy and TLS together
  std::stop_token stop = {};                          ///< requested: it ends at once

  /// `Response::connection` of the refusal that this attempt repeats; null: it repeats none. Where bytes came on it
  /// since, that response was not this request's: the attempt ends, unsent, with Cause::stray_response.
  std::shared_ptr<KeptConnection> connection = {};
};

/// The seam: what carries one request and brings its response. `perform` is all a user must write.
///
/// An implementation makes **one** attempt: it must not send a request a second time by itself, follow a redirect or
/// answer an authentication challenge. It ends with a Failure when `limits.deadline` passes or `limits.stop` is
/// requested. Both functions are called from many threads at once. An exception is taken for a Failure whose body_left
/// is true.
class CONNECTID_API Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Blocks until the response came, failed, was cancelled or its time was up.
  [[nodiscard]] virtual AttemptResult perform(const Request& request, const Limits& limits) = 0;

  /// Takes what came of the attempt.
  using Completion = std::function<void(AttemptResult)>;
  /// Calls `done` exactly once. The default performs in the calling thread.
  virtual void submit(const Request& request, const Limits& limits, Completion done);
};

}  // namespace connectid::inline v0::http
