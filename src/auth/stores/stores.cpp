#include "auth/stores/stores.hpp"

#include "base/text.hpp"

namespace connectid::inline v0::detail {

std::string quoted_account(const std::string& account) { return '"' + printable(account, 100) + '"'; }

Error lock_not_had(const std::string& account, const std::stop_token& stop, const char* holders) {
  const std::string whose = "account " + quoted_account(account) + " is locked by another " + holders;
  if (stop.stop_requested()) {
    return {Outcome::not_sent, Cancelled{Stage::token}, whose + ", and the wait for it was cancelled"};
  }
  return {Outcome::not_sent, DeadlineExceeded{Stage::token}, whose + ", and was so until the deadline"};
}

}  // namespace connectid::inline v0::detail
