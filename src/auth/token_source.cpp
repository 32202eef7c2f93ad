#include <connectid/auth/token_source.hpp>

#include <condition_variable>
#include <mutex>

namespace connectid::inline v0 {
namespace {

class FunctionOfYours final : public TokenProvider {
 public:
  explicit FunctionOfYours(TokenSource::Function get) : get_(std::move(get)) {}
  std::optional<Result<AccessToken>> get(const TokenRequest& request, Handler) override { return get_(request); }

 private:
  TokenSource::Function get_;
};

class AlwaysTheSame final : public TokenProvider {
 public:
  explicit AlwaysTheSame(Secret token) : token_{std::move(token)} {}
  std::optional<Result<AccessToken>> get(const TokenRequest&, Handler) override { return Result(token_); }
  std::optional<AccessToken> cached() const override { return token_; }

 private:
  AccessToken token_;
};

/// One caller's wait. It outlives a caller who leaves.
class Wait {
 public:
  void end(const Result<AccessToken>& token) {
    const std::lock_guard lock(mutex_);
    token_ = token;
    ended_.notify_all();
  }

  Result<AccessToken> until_its_end(const TokenRequest& request) {
    std::unique_lock lock(mutex_);
    const bool ended = ended_.wait_until(lock, request.stop, request.deadline, [this] { return token_.has_value(); });
    if (ended) return *token_;
    if (request.stop.stop_requested()) {
      return Error(Outcome::not_sent, Cancelled{Stage::token}, "cancelled while the access token was being renewed");
    }
    return Error(Outcome::not_sent, DeadlineExceeded{Stage::token},
                 "the time was up while the access token was being renewed");
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::optional<Result<AccessToken>> token_;
};

}  // namespace

TokenSource::TokenSource(Function get) {
  if (get) provider_ = std::make_shared<FunctionOfYours>(std::move(get));
}

std::optional<Result<AccessToken>> TokenSource::get(const TokenRequest& request, TokenProvider::Handler done) const {
  return provider_->get(request, std::move(done));
}

Result<AccessToken> TokenSource::operator()(const TokenRequest& request) const {
  auto there = get(request, nullptr);  // nearly always: so nothing is allocated for a wait
  if (there) return *std::move(there);
  const auto wait = std::make_shared<Wait>();
  there = get(request, [wait](const Result<AccessToken>& token) { wait->end(token); });
  return there ? *std::move(there) : wait->until_its_end(request);
}

bool TokenSource::may_block() const noexcept {
  return dynamic_cast<const FunctionOfYours*>(provider_.get()) != nullptr;
}

std::optional<AccessToken> TokenSource::cached() const { return provider_ ? provider_->cached() : std::nullopt; }

Error token_error(std::string message, TokenError detail) {
  return {Outcome::not_sent, std::move(detail), std::move(message)};
}

TokenSource static_token(Secret access_token) {
  return TokenSource(std::make_shared<AlwaysTheSame>(std::move(access_token)));
}

}  // namespace connectid::inline v0
