#include <condition_variable>
#include <connectid/testing/fake_server.hpp>
#include <iostream>
#include <memory>
#include <mutex>
#include <system_error>

#include "commands/command.hpp"

namespace connectid::cli {
namespace {

struct Arguments {
  std::uint16_t port = 0;
  bool like_spring = false;
};

std::uint16_t port_number(const std::string& text) {
  const auto read = number_and_unit<std::uint16_t>(text);
  if (!read || !read->second.empty()) throw UsageError("--port takes a number from 0 to 65535, not \"" + text + "\"");
  return read->first;
}

/// Serves until a stop is requested. Prints where it listens as soon as it does.
Report serve(const testing::FakeServerOptions& options, const std::stop_token& stop) {
  std::unique_ptr<testing::FakeServer> server;
  try {
    server = std::make_unique<testing::FakeServer>(options);
  } catch (const std::system_error& error) {
    if (options.port == 0) throw;
    return {.status = 2,
            .err = "connectid: port " + std::to_string(options.port) +
                   " of 127.0.0.1 cannot be used: " + error.code().message() + "\n"};
  }
  // Flushed: others wait for this line, and cannot find the server without it.
  if (!(std::cout << "listening " << server->url() << std::endl)) {
    return {.status = 1, .err = "connectid: standard output cannot be written, so nobody learns the port\n"};
  }
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
  return {};
}

}  // namespace

Command commands::fake_server(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  add(app, {"--port", "NUMBER", "Port on 127.0.0.1; 0: any free one", "0"},
      [arguments](const std::string& text) { arguments->port = port_number(text); });
  add_switch(app, "--like-spring", "Give tokens as Spring Security OAuth does", arguments->like_spring);
  Notes notes{
      .summary = "Serve the API's rules on a loopback port, for tests",
      .paragraphs =
          {"Prints \"listening http://127.0.0.1:PORT\" as soon as it accepts connections. It accepts the access token "
           "\"test-token\". It is also the authorization server, with that URL as CONNECTID_LOGIN_URL: for the client "
           "\"test-client\" with the secret \"test-secret\", and for the refresh token \"test-refresh-token\". GET "
           "/__connectid/log returns what was received, as JSON. SIGINT, SIGTERM and SIGHUP end it.",
           "The authorization server follows RFC 6749. With --like-spring it gives the same access token again while "
           "that lives, does not replace refresh tokens, and refuses one with 401 \"invalid_token\"."},
      .statuses = {{"0", "Ended by a signal."},
                   {"1", internal_error},
                   {"2", "Usage error, or the port cannot be used."}},
      .examples = {
          "connectid fake-server --port 8080 >server.log &", "until grep -q listening server.log; do sleep 0.1; done",
          "CONNECTID_ACCESS_TOKEN=test-token connectid start \\", "--api-url http://127.0.0.1:8080 --json order.json"}};
  return {std::move(notes), [arguments](const Context& context) {
            using Kind = testing::AuthorizationServer;
            return serve(
                {.port = arguments->port, .authorization_server = arguments->like_spring ? Kind::spring : Kind::rfc},
                context.stop);
          }};
}

}  // namespace connectid::cli
