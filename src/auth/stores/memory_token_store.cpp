#include <connectid/auth/token_store.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "auth/stores/stores.hpp"

namespace connectid::inline v0::auth {

struct MemoryTokenStore::State {
  std::mutex mutex;
  std::condition_variable_any unlocked;
  std::map<std::string, StoredToken> tokens;
  std::set<std::string> locked;
};

MemoryTokenStore::MemoryTokenStore() : state_(std::make_shared<State>()) {}
MemoryTokenStore::~MemoryTokenStore() = default;

Result<std::optional<StoredToken>> MemoryTokenStore::load(const std::string& account) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->tokens.find(account);
  return found == state_->tokens.end() ? std::nullopt : std::optional(found->second);
}

Result<void> MemoryTokenStore::save(const std::string& account, const StoredToken& token) {
  const std::lock_guard lock(state_->mutex);
  state_->tokens.insert_or_assign(account, token);
  return {};
}

Result<void> MemoryTokenStore::remove(const std::string& account) {
  const std::lock_guard lock(state_->mutex);
  state_->tokens.erase(account);
  return {};
}

Result<TokenStore::Lock> MemoryTokenStore::lock(const std::string& account, const LockRequest& request) {
  std::unique_lock lock(state_->mutex);
  const bool had = state_->unlocked.wait_until(lock, request.stop, request.deadline,
                                               [&] { return !state_->locked.contains(account); });
  if (!had) return detail::lock_not_had(account, request.stop, "thread");
  state_->locked.insert(account);
  return Lock(state_.get(), [state = state_, account](void*) {
    const std::lock_guard unlock(state->mutex);
    state->locked.erase(account);
    state->unlocked.notify_all();
  });
}

}  // namespace connectid::inline v0::auth
