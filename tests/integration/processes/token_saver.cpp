// token_saver DIRECTORY: counts on from the token that is kept there, and writes each number to standard output once it
// is saved, until it is killed.

#include <connectid/auth/file_token_store.hpp>

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "support/numbered_token.hpp"

namespace {

/// The number that is kept now.
int count_on(connectid::auth::TokenStore& store) {
  const auto lock =
      store.lock("anna", {.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60}}).value();
  const auto kept = store.load("anna").value();
  const int number = kept ? std::stoi(kept->client_id) + 1 : 1;
  store.save("anna", connectid::numbered_token(number)).value();
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  connectid::auth::FileTokenStore store(argv[1]);
  try {
    for (;;) {
      const int number = count_on(store);
      if (write(STDOUT_FILENO, &number, sizeof number) != sizeof number) return 1;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});  // the other's turn
    }
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
  }
}
