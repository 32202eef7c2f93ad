// Any bytes as what a server says to a start, through CurlTransport and a socket: nothing but a whole success is
// `started`.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <connectid/http/curl_transport.hpp>
#include <connectid/subscription/start_subscription.hpp>
#include <semaphore>
#include <thread>

#include "base/text.hpp"
#include "call/classify.hpp"
#include "endpoints/endpoint.hpp"
#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

using nlohmann::json;

const std::string body_sent = "{}";

/// Says to each request the bytes that it was given, and closes.
class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool listens = bind(socket_, any, size) == 0 && listen(socket_, 8) == 0 && !getsockname(socket_, any, &size);
    require(listens, "the server has a port");
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/v1/subscription";
    thread_ = std::jthread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    shutdown(socket_, SHUT_RDWR);  // ends accept()
    thread_.join();
    close(socket_);
  }

  [[nodiscard]] const std::string& url() const { return url_; }
  /// What it says from now on; not while a request is under way.
  void say(std::string_view bytes) { says_ = bytes; }
  /// After each request: its connection is closed.
  void wait() { closed_.acquire(); }

 private:
  void serve() {
    for (int fd = 0; (fd = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; closed_.release()) {
      std::string heard;
      char piece[4096];
      for (ssize_t count = 1; count > 0 && !heard.ends_with("\r\n\r\n" + body_sent);) {
        count = recv(fd, piece, sizeof piece, 0);
        if (count > 0) heard.append(piece, std::size_t(count));
      }
      for (std::string_view rest = says_; !rest.empty();) {
        const ssize_t count = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (count <= 0) break;  // the client has heard enough
        rest.remove_prefix(std::size_t(count));
      }
      close(fd);
    }
  }

  int socket_;
  std::string url_;
  std::string says_;
  std::binary_semaphore closed_{0};
  std::jthread thread_;
};

constexpr std::size_t max_headers = 2000;
constexpr std::size_t max_body = 1000;

http::AttemptResult response_to_a_start(std::string_view bytes) {
  using namespace std::chrono_literals;
  static Server server;
  server.say(bytes);
  http::CurlTransport transport({.max_body = max_body, .max_headers = max_headers});
  auto result =
      transport.perform({.method = "POST", .url = server.url(), .authorization = "Bearer t", .body = body_sent},
                        {.deadline = std::chrono::steady_clock::now() + 10s});
  server.wait();
  return result;
}

// ---- the same bytes, read by a reader of our own that knows nothing of libcurl

struct Message {
  int status = 0;
  bool framed = false;
  bool encoded = false;
  std::string body = {};
};

std::string_view without_end(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// What the chunks hold; none where the last one is missing.
std::optional<std::string> joined_chunks(std::string_view bytes) {
  std::string body;
  while (!bytes.empty()) {
    const std::string digits(take_line(bytes));
    const std::size_t size = std::strtoull(digits.c_str(), nullptr, 16);
    if (size == 0) break;
    if (bytes.size() < size) return std::nullopt;
    body += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (!without_end(take_line(bytes)).empty()) return std::nullopt;
  }
  while (!bytes.empty()) {  // the trailer
    const bool ends = bytes.find('\n') != std::string_view::npos;
    if (without_end(take_line(bytes)).empty()) return ends ? std::optional(body) : std::nullopt;
  }
  return std::nullopt;
}

std::string value_of(std::string_view line) {
  line.remove_prefix(std::min(line.find(':') + 1, line.size()));
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line.substr(0, line.find_last_not_of(" \t") + 1));
}

/// The final response; none where it is not whole.
std::optional<Message> whole_message(std::string_view bytes) {
  Message message;
  std::optional<std::string> length;
  bool chunked = false;
  do {
    const std::string status_line(take_line(bytes));
    const std::size_t space = status_line.find(' ');
    if (!status_line.starts_with("HTTP/") || space > sizeof "HTTP/1.1") return std::nullopt;
    message.status = std::atoi(status_line.c_str() + space);
    length.reset();
    chunked = message.encoded = false;
    for (;;) {
      if (bytes.find('\n') == std::string_view::npos) return std::nullopt;
      const std::string_view line = without_end(take_line(bytes));
      if (line.empty()) break;
      const auto is = [&](const char* name) {
        return detail::equal_ignoring_case(line.substr(0, line.find(':')), name);
      };
      if (is("Content-Length")) length = value_of(line);
      if (is("Transfer-Encoding")) chunked = detail::equal_ignoring_case(value_of(line), "chunked");
      if (is("Content-Encoding")) message.encoded = true;
    }
  } while (message.status < 200);
  message.framed = chunked || length;
  message.body = bytes;
  if (chunked) {
    auto joined = joined_chunks(bytes);
    if (!joined) return std::nullopt;
    message.body = *std::move(joined);
  } else if (length) {
    const bool number = !length->empty() && length->find_first_not_of("0123456789") == std::string::npos;
    if (!number || bytes.size() < std::strtoull(length->c_str(), nullptr, 10)) return std::nullopt;
    message.body.resize(std::strtoull(length->c_str(), nullptr, 10));
  }
  return message;
}

void check_started(const http::Response& response, std::string_view bytes) {
  const auto message = whole_message(bytes);
  require(message.has_value(), "started: the response is whole");
  require(message->status == 200, "started: the status is 200");
  // Where it came encoded, it is read as it came out.
  const std::string& body = message->encoded ? response.body : message->body;
  if (body.empty()) return require(message->framed, "started: an empty body is said to be empty");
  const bool to_its_end = body.find('\0') == std::string::npos;  // the parser would stop there
  require(to_its_end && says_started(json::parse(body, nullptr, false)), "started: the body says so");
}

void check_response(const http::Response& response, std::string_view bytes) {
  std::size_t header_bytes = 0;
  for (const http::Header& header : response.headers) {
    header_bytes += header.name.size() + header.value.size();
    require(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value is of one line");
  }
  require(header_bytes <= max_headers && response.body.size() <= max_body, "a response ends at its limits");
  require(response.status >= 200 && response.status <= 999, "a response is a final one");
  require(!(response.truncated && response.framed), "what was cut has not met its framing");

  const detail::Reading reading = detail::decode(detail::endpoint_of(StartSubscriptionRequest{}), response.body);
  if (classify(response, reading, detail::RefusedBy::anybody, false).outcome != Outcome::succeeded) return;
  require(response.framed || reading.whole_json, "started: framed, or whole JSON");
  require(!response.truncated, "started: nothing was cut");
  check_started(response, bytes);
}

void check_failure(const http::Failure& failure) {
  require(failure.body_left, "the request was read whole, so it had left");
  require(failure.cause != Cause::timed_out, "the server closes, so nobody waits");
  require(is_printable(failure.text), "why it failed is one printable line");
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid;
  const std::string_view bytes = fuzz::text_of(data, size);
  const http::AttemptResult result = fuzz::response_to_a_start(bytes);
  if (const auto* failure = std::get_if<http::Failure>(&result)) fuzz::check_failure(*failure);
  if (const auto* response = std::get_if<http::Response>(&result)) fuzz::check_response(*response, bytes);
  return 0;
}
