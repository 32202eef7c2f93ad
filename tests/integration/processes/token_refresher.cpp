// token_refresher URL LOGIN_URL DIRECTORY ACCOUNT ROUNDS: renews the account's token so often (0: until it is killed),
// each time another than the one before, and writes its hash to standard output, a line each; ends with 1 where there
// is none.

#include <connectid/connectid.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

int main(int argc, char** argv) {
  using namespace connectid;
  if (argc != 6) return 2;
  const auto store = std::make_shared<auth::FileTokenStore>(argv[3]);
  const auth::Credentials credentials{.environment = Environment::custom(argv[1], argv[2]),
                                      .client_id = "test-client",
                                      .client_secret = "test-secret",
                                      .transport = std::make_shared<http::CurlTransport>()};
  const int rounds = std::stoi(argv[5]);
  Secret last;
  for (int i = 0; rounds == 0 || i < rounds; ++i) {
    const auto token =
        auth::refresh_token_source({.credentials = credentials, .store = store, .account = argv[4]})({.refused = last});
    if (!token) {
      std::cerr << token.error() << '\n';
      return 1;
    }
    last = token->value;
    std::cout << std::hash<std::string>{}(last.reveal()) << std::endl;  // a file is no place for a token
  }
  return 0;
}
