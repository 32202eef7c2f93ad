// What the library's own stores promise alike.
#include "support/token_store_contract.hpp"

#include <connectid/auth/file_token_store.hpp>

namespace connectid::auth {
namespace {

TEST_P(TokenStoreContract, says_which_account_is_locked) {
  const auto lock = locked("anna\n");
  const auto late = store->lock("anna\n", {});
  EXPECT_THAT(late.error().message(), ::testing::HasSubstr(R"(account "anna\x0a" is locked by another)"));
  std::stop_source stopped;
  stopped.request_stop();
  const auto cancelled = store->lock("anna\n", {.deadline = Clock::now() + 1h, .stop = stopped.get_token()});
  EXPECT_THAT(cancelled.error().message(), ::testing::HasSubstr(R"(account "anna\x0a" is locked by another)"));
}

const StoreKind memory{"memory", [](const TemporaryDirectory&) {
                         return [store = std::make_shared<MemoryTokenStore>()] { return store; };
                       }};
const StoreKind file{"file", [](const TemporaryDirectory& directory) {
                       return [path = directory / "tokens"] { return std::make_shared<FileTokenStore>(path); };
                     }};

CONNECTID_TOKEN_STORE_CONTRACT(memory, file);

}  // namespace
}  // namespace connectid::auth
