// A response (`HEAD` and a line feed before it: to HEAD), read by ResponseReader, by Boost.Beast and by llhttp. What
// ResponseReader has whole, llhttp has whole too; and where another one has it whole, it has the same status and the
// same body, and ends at the same byte. What only another one takes is no finding: ResponseReader is to be the
// strictest.
#include <llhttp.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>

#include "http/response_reader.hpp"
#include "support/fuzzing.hpp"

namespace connectid::fuzz {
namespace {

constexpr std::size_t large = 1 << 20;  // more than any input

/// The final response, where the connection is closed behind the last byte.
struct Message {
  int status = 0;
  std::string body = {};
  std::size_t behind = 0;  ///< bytes that are not its own
};

std::optional<Message> read_by_us(std::string_view bytes, bool to_head) {
  detail::ResponseReader reader({.max_headers = large, .max_body = large}, to_head);
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.state() == detail::ResponseReader::State::reading) {
    reader.take(bytes.substr(taken++, 1));
  }
  const bool open = reader.state() == detail::ResponseReader::State::reading && reader.ends_with_the_connection();
  if (!open && reader.state() != detail::ResponseReader::State::whole) return std::nullopt;
  return Message{reader.status(), reader.body(), bytes.size() - taken};
}

std::optional<Message> read_by_beast(std::string_view bytes, bool to_head) {
  namespace beast = boost::beast::http;
  for (;;) {  // once for each interim response: to Beast each is a message
    beast::response_parser<beast::string_body> parser;
    parser.eager(true);
    parser.skip(to_head);
    parser.header_limit(large);
    parser.body_limit(std::uint64_t{large});
    while (!parser.is_done()) {
      boost::beast::error_code error;
      const std::size_t taken = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(taken);
      if (error && error != beast::error::need_more) return std::nullopt;
      if (taken > 0 || parser.is_done()) continue;
      if (!parser.got_some()) return std::nullopt;
      parser.put_eof(error);
      if (error || !parser.is_done()) return std::nullopt;
    }
    const auto status = static_cast<int>(parser.get().result_int());
    if (status >= 200) return Message{status, parser.get().body(), bytes.size()};
  }
}

struct LlhttpReading {
  bool to_head = false;
  bool whole = false;
  Message message = {};
};

int end_of_headers(llhttp_t* parser) {
  const auto& reading = *static_cast<const LlhttpReading*>(parser->data);
  const int status = llhttp_get_status_code(parser);
  // llhttp leaves it to its caller, except without a length, that these have no body: RFC 9112 section 6.3, rule 1.
  return reading.to_head || status == 204 || status == 304 ? 1 : 0;
}

int piece_of_body(llhttp_t* parser, const char* at, std::size_t size) {
  static_cast<LlhttpReading*>(parser->data)->message.body.append(at, size);
  return 0;
}

int end_of_message(llhttp_t* parser) {
  auto& reading = *static_cast<LlhttpReading*>(parser->data);
  reading.message.status = llhttp_get_status_code(parser);
  reading.whole = reading.message.status >= 200;
  if (!reading.whole) reading.message.body.clear();
  return reading.whole ? HPE_PAUSED : 0;
}

std::optional<Message> read_by_llhttp(std::string_view bytes, bool to_head) {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_headers_complete = end_of_headers;
    made.on_body = piece_of_body;
    made.on_message_complete = end_of_message;
    return made;
  }();
  LlhttpReading reading{.to_head = to_head};
  llhttp_t parser;
  llhttp_init(&parser, HTTP_RESPONSE, &settings);
  parser.data = &reading;
  llhttp_set_lenient_keep_alive(&parser, 1);  // else it heeds the `Proxy-Connection` of an interim response
  const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (reading.whole) {
    const char* const stopped = llhttp_get_error_pos(&parser);
    reading.message.behind = static_cast<std::size_t>(bytes.data() + bytes.size() - stopped);
  } else if (error == HPE_OK) {
    llhttp_finish(&parser);
  }
  return reading.whole ? std::optional(reading.message) : std::nullopt;
}

void compare(const Message& ours, const std::optional<Message>& other, const std::string& who) {
  if (!other) return;
  require(ours.status == other->status, ("the status is the same to " + who).c_str());
  require(ours.body == other->body, ("the body is the same to " + who).c_str());
  require(ours.behind == other->behind, ("it ends at the same byte to " + who).c_str());
}

}  // namespace
}  // namespace connectid::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace connectid::fuzz;
  std::string_view bytes = text_of(data, size);
  static constexpr std::string_view head = "HEAD\n";
  const bool to_head = bytes.starts_with(head);
  if (to_head) bytes.remove_prefix(head.size());
  const auto ours = read_by_us(bytes, to_head);
  if (!ours) return 0;
  const auto by_llhttp = read_by_llhttp(bytes, to_head);
  require(by_llhttp.has_value(), "what is whole is so to llhttp");
  compare(*ours, by_llhttp, "llhttp");
  // Beast refuses more: a status line without the space that RFC 9112 section 4 wants behind the status and many
  // servers leave out, and a `Proxy-Connection` without tokens, which means nothing to us.
  compare(*ours, read_by_beast(bytes, to_head), "Beast");
  return 0;
}
