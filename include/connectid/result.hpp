#pragma once

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
/// error's message. `value()` throws `connectid::Exception` instead.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] const T& operator*() const& noexcept { return checked(); }
  [[nodiscard]] T& operator*() & noexcept { return const_cast<T&>(checked()); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(const_cast<T&>(checked())); }
  [[nodiscard]] const T* operator->() const noexcept { return &checked(); }
  [[nodiscard]] T* operator->() noexcept { return const_cast<T*>(&checked()); }

  [[nodiscard]] const T& value() const& {
    if (!has_value()) throw Exception(*std::get_if<1>(&state_));
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T value() && { return std::move(const_cast<T&>(std::as_const(*this).value())); }

  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }

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

}  // namespace connectid::inline v0
