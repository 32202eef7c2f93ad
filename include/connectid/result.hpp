#pragma once

#include <optional>
#include <utility>
#include <variant>

#include <connectid/error.hpp>
#include <connectid/export.hpp>

namespace connectid::inline v0 {

namespace detail {
/// Prints why to standard error and ends the program: what was asked of the Result is not in it.
[[noreturn]] CONNECTID_API void no_value(const Error& error) noexcept;
[[noreturn]] CONNECTID_API void no_error() noexcept;
}  // namespace detail

/// A value or the Error that stands in its place. Test it before `*`: on an error that ends the program with the
/// error's message. `value()` throws `connectid::Exception` instead. As thread-safe as a T: many may read one.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;  ///< what it holds where all went well

  /// Of a value; implicit, so that a function can return one.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  /// Of an error; implicit, likewise.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  /// Whether there is a value.
  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  /// The same.
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// The value. On an error: prints the error to standard error and ends the program.
  /// @{
  [[nodiscard]] const T& operator*() const& noexcept { return checked(); }
  [[nodiscard]] T& operator*() & noexcept { return const_cast<T&>(checked()); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(const_cast<T&>(checked())); }
  [[nodiscard]] const T* operator->() const noexcept { return &checked(); }
  [[nodiscard]] T* operator->() noexcept { return const_cast<T*>(&checked()); }
  /// @}

  /// The value; on an error throws `Exception`, which holds it.
  /// @{
  [[nodiscard]] const T& value() const& {
    if (!has_value()) throw Exception(*std::get_if<1>(&state_));
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T value() && { return std::move(const_cast<T&>(std::as_const(*this).value())); }
  /// @}

  /// The value, or `other` where there is none.
  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }

  /// The error. Where there is a value: says so on standard error and ends the program.
  [[nodiscard]] const Error& error() const noexcept {
    if (has_value()) detail::no_error();
    return *std::get_if<1>(&state_);
  }

 private:
  const T& checked() const noexcept {
    if (!has_value()) detail::no_value(*std::get_if<1>(&state_));
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

/// Nothing, where all went well, or the Error that stands in its place.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;  ///< there is nothing to hold

  /// All went well.
  Result() = default;
  /// Of an error; implicit, so that a function can return one.
  Result(Error error) : error_(std::move(error)) {}

  /// Whether all went well.
  [[nodiscard]] bool has_value() const noexcept { return !error_; }
  /// The same.
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }
  /// Throws `Exception`, which holds the error, where there is one.
  void value() const {
    if (error_) throw Exception(*error_);
  }
  /// The error. Where all went well: says so on standard error and ends the program.
  [[nodiscard]] const Error& error() const noexcept {
    if (!error_) detail::no_error();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace connectid::inline v0
