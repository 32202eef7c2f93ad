#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <connectid/http/curl_transport.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/fd.hpp"
#include "http/shared_tls.hpp"
#include "http/url.hpp"

namespace connectid::inline v0::detail {

/// Why an attempt may not go on: it is cancelled or late. None: it may.
[[nodiscard]] std::optional<Cause> over(const http::Limits& limits) noexcept;

/// What came of moving bytes over a connection.
struct Moved {
  enum class State {
    some,    ///< `bytes` of them, at least one
    again,   ///< none now: wait
    closed,  ///< received: the peer closed. Over TLS libcurl before 8.6 says so of a truncation, too.
    failed,  ///< none, and none will: `cause`
  };
  State state = State::again;
  std::size_t bytes = 0;
  Cause cause = Cause::other;
};

/// A connection that libcurl made (name, TCP, proxy, TLS) and that carries bytes of ours: libcurl neither sends nor
/// reads a byte of HTTP on it, and never replaces it. One thread at a time, not always the same; `wake` from any.
class Connection {
  struct Key {};

 public:
  /// A send that is repeated must have the same bytes in the same place, and no more than this (in TLS, one record):
  /// libcurl loses count otherwise.
  static constexpr std::size_t longest_send = 16 * 1024;

  /// Blocks until it stands, or until the deadline, the stop, or `limits.connect_timeout`. A Failure: not a byte left.
  [[nodiscard]] static std::variant<std::unique_ptr<Connection>, http::Failure> open(const Url& url,
                                                                                     const http::CurlOptions& options,
                                                                                     SharedTls& tls,
                                                                                     const http::Limits& limits);
  Connection(Key, const Url& url);  ///< for `open`
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Where the first send of a connection over TLS says `again`, some of it may have left all the same.
  [[nodiscard]] Moved send(std::string_view bytes) noexcept;
  [[nodiscard]] Moved receive(std::span<char> into) noexcept;
  /// Receives once more where the first attempt only digested what TLS says for itself: what `again` hides is out.
  [[nodiscard]] Moved receive_surely(std::span<char> into) noexcept;

  /// Until bytes may have come, or with `to_send` may be sent, until `wake`, or until the deadline.
  void wait(bool to_send, std::chrono::steady_clock::time_point deadline) const noexcept;
  /// Ends a `wait`, this one or the next. Any thread.
  void wake() const noexcept;

  /// Not one of the last `sent` bytes has been acknowledged by the peer's TCP, so what it says cannot be about them.
  /// Over TLS, whose records are longer than what was sent, always false.
  [[nodiscard]] bool nothing_acknowledged(std::size_t sent) const noexcept;

  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
  [[nodiscard]] bool plain() const noexcept { return plain_; }
  /// For people: `api.example at 192.0.2.1 port 443`
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  class Dial;

  std::string origin_;
  std::string peer_;
  bool plain_;
  Fd wake_;
  // The easy handle stays in a multi handle of its own: to leave it is to close. Two connections in one multi handle
  // would be pruned by each other's dialling.
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  int socket_ = -1;  // libcurl's
};

}  // namespace connectid::inline v0::detail
