#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace connectid::inline v0::detail {

/// What the end of an attempt tells of the service behind the API.
enum class Health {
  unclear,        ///< nothing: it never got there, or was ended on purpose
  responds,       ///< an application responded
  fails,          ///< nobody responded, or a gateway did instead
  fails_at_once,  ///< likewise, and so soon that a batch of calls would all be used up on it
};

/// Why an attempt may not be made now.
struct CircuitIsOpen {
  std::chrono::steady_clock::time_point since;
  std::chrono::milliseconds retry_in;  ///< until a call may find out; while one does, how long that may take to repeat
  bool probing = false;                ///< one is finding out just now
  int failures = 0;                    ///< in a row, that opened it
  std::string last;                    ///< how the last of them ended
};

/// Keeps a client's calls back while the service is down in a way that makes each an unknown outcome. Pure: no clock,
/// no lock.
class Circuit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Opens after so many attempts in a row that failed at once; 0 and less: never.
  explicit Circuit(int break_after) noexcept : break_after_(break_after) {}

  enum class Pass {
    refused,  ///< `why` tells more
    normal,
    probe,  ///< the one attempt that finds out; its end has to be told, or given back
  };
  [[nodiscard]] Pass ask(TimePoint now) noexcept;
  [[nodiscard]] CircuitIsOpen why(TimePoint now) const;

  /// How an attempt ended that was let through. `what` is text for people, without anything that came from outside.
  void ended(Pass as, Health health, const std::string& what, TimePoint now);
  /// The probe ended without telling anything.
  void give_back_the_probe() noexcept { probing_ = false; }

 private:
  void hold_back(const std::string& what, TimePoint now);

  int break_after_;
  int failures_ = 0;  ///< in a row
  bool open_ = false;
  bool probing_ = false;
  TimePoint since_{};
  TimePoint next_probe_{};
  std::chrono::milliseconds pause_{};
  std::string last_;
};

/// The circuit that the calls of one client share. Thread-safe.
class CircuitBreaker {
 public:
  explicit CircuitBreaker(int break_after) noexcept : circuit_(break_after) {}

 private:
  friend class Passage;
  std::mutex mutex_;
  Circuit circuit_;
};

/// One call's passage through a circuit. Its end gives back a probe that told nothing.
class Passage {
 public:
  explicit Passage(CircuitBreaker& breaker) noexcept : breaker_(&breaker) {}

  /// Nothing: the attempt may be made. May be asked again before it is.
  [[nodiscard]] std::optional<CircuitIsOpen> ask(Circuit::TimePoint now);
  /// The attempt was made, and ended so.
  void ended(Health health, const std::string& what, Circuit::TimePoint now);
  /// The attempt is not made.
  void give_back() noexcept { probe_.reset(); }

 private:
  struct GiveBack {
    void operator()(CircuitBreaker* breaker) const noexcept;
  };

  CircuitBreaker* breaker_;
  std::unique_ptr<CircuitBreaker, GiveBack> probe_;  ///< set while this is the probe
};

}  // namespace connectid::inline v0::detail
