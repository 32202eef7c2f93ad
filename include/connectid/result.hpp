#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <connectid/error.hpp>
#include <connectid/export.hpp>

namespace connectid::inline v0 {

namespace detail {
/// Prints why to standard error and ends the program: what was asked of the Result is not in it.
[[noreturn]] CONNECTID_API void no_value(const Error& error) noexcept;
[[noreturn]] CONNECTID_API void no_error() noexcept;
template <class T>
inline constexpr bool is_result = false;
template <class Made, class Function>
inline constexpr bool recovers =
    std::is_same_v<std::remove_cvref_t<std::invoke_result_t<Function, const Error&>>, Made>;
}  // namespace detail

/// A value or the Error that stands in its place. Test it before `*`: on an error that ends the program with the
/// error's message. `value()` throws `connectid::Exception` instead. Names and meaning are those of `std::expected`
/// (C++23). As thread-safe as a T: many may read one.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;      ///< what it holds where all went well
  using error_type = Error;  ///< what it holds otherwise

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
  [[nodiscard]] T&& operator*() && noexcept { return std::move(**this); }
  [[nodiscard]] const T&& operator*() const&& noexcept { return std::move(**this); }
  [[nodiscard]] const T* operator->() const noexcept { return &checked(); }
  [[nodiscard]] T* operator->() noexcept { return const_cast<T*>(&checked()); }
  /// @}

  /// The value; on an error throws `Exception`, which holds it.
  /// @{
  [[nodiscard]] const T& value() const& {
    if (!has_value()) throw Exception(*std::get_if<1>(&state_));
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T& value() & { return const_cast<T&>(std::as_const(*this).value()); }
  [[nodiscard]] T&& value() && { return std::move(value()); }
  [[nodiscard]] const T&& value() const&& { return std::move(value()); }
  /// @}

  /// The value, or `other` where there is none.
  /// @{
  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& other) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
  }
  /// @}

  /// What `next`, which returns a Result, makes of the value; on an error the error.
  /// @{
  template <class Function>
  [[nodiscard]] auto and_then(Function&& next) & {
    return chain(*this, std::forward<Function>(next));
  }
  template <class Function>
  [[nodiscard]] auto and_then(Function&& next) const& {
    return chain(*this, std::forward<Function>(next));
  }
  template <class Function>
  [[nodiscard]] auto and_then(Function&& next) && {
    return chain(std::move(*this), std::forward<Function>(next));
  }
  template <class Function>
  [[nodiscard]] auto and_then(Function&& next) const&& {
    return chain(std::move(*this), std::forward<Function>(next));
  }
  /// @}

  /// A Result of what `convert` makes of the value, which may be nothing (`Result<void>`); on an error the error.
  /// @{
  template <class Function>
  [[nodiscard]] auto transform(Function&& convert) & {
    return map(*this, std::forward<Function>(convert));
  }
  template <class Function>
  [[nodiscard]] auto transform(Function&& convert) const& {
    return map(*this, std::forward<Function>(convert));
  }
  template <class Function>
  [[nodiscard]] auto transform(Function&& convert) && {
    return map(std::move(*this), std::forward<Function>(convert));
  }
  template <class Function>
  [[nodiscard]] auto transform(Function&& convert) const&& {
    return map(std::move(*this), std::forward<Function>(convert));
  }
  /// @}

  /// Itself where there is a value; else what `recover`, which returns a Result of the same type, makes of the error.
  /// @{
  template <class Function>
  [[nodiscard]] Result or_else(Function&& recover) const& {
    static_assert(detail::recovers<Result, Function>, "or_else takes a function that returns the same Result");
    return has_value() ? *this : Result(std::invoke(std::forward<Function>(recover), error()));
  }
  template <class Function>
  [[nodiscard]] Result or_else(Function&& recover) && {
    static_assert(detail::recovers<Result, Function>, "or_else takes a function that returns the same Result");
    return has_value() ? std::move(*this) : Result(std::invoke(std::forward<Function>(recover), error()));
  }
  /// @}

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
  template <class Self, class Function>
  static auto chain(Self&& self, Function&& next) {
    using Next = std::remove_cvref_t<std::invoke_result_t<Function, decltype(*std::forward<Self>(self))>>;
    static_assert(detail::is_result<Next>, "and_then takes a function that returns a Result");
    return self ? Next(std::invoke(std::forward<Function>(next), *std::forward<Self>(self))) : Next(self.error());
  }
  template <class Self, class Function>
  static auto map(Self&& self, Function&& convert) {
    using Made = std::remove_cv_t<std::invoke_result_t<Function, decltype(*std::forward<Self>(self))>>;
    if (!self) return Result<Made>(self.error());
    if constexpr (std::is_void_v<Made>) {
      std::invoke(std::forward<Function>(convert), *std::forward<Self>(self));
      return Result<Made>();
    } else {
      return Result<Made>(std::invoke(std::forward<Function>(convert), *std::forward<Self>(self)));
    }
  }

  std::variant<T, Error> state_;
};

/// Nothing, where all went well, or the Error that stands in its place.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;   ///< there is nothing to hold
  using error_type = Error;  ///< what it holds where something went wrong

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
  /// Nothing. On an error: prints the error to standard error and ends the program.
  void operator*() const noexcept {
    if (error_) detail::no_value(*error_);
  }

  /// What `next`, which returns a Result, gives; on an error the error.
  template <class Function>
  [[nodiscard]] auto and_then(Function&& next) const {
    using Next = std::remove_cvref_t<std::invoke_result_t<Function>>;
    static_assert(detail::is_result<Next>, "and_then takes a function that returns a Result");
    return error_ ? Next(*error_) : Next(std::invoke(std::forward<Function>(next)));
  }
  /// A Result of what `make` gives, which may be nothing; on an error the error.
  template <class Function>
  [[nodiscard]] auto transform(Function&& make) const {
    using Made = std::remove_cv_t<std::invoke_result_t<Function>>;
    if (error_) return Result<Made>(*error_);
    if constexpr (std::is_void_v<Made>) {
      std::invoke(std::forward<Function>(make));
      return Result<Made>();
    } else {
      return Result<Made>(std::invoke(std::forward<Function>(make)));
    }
  }
  /// Itself where all went well; else what `recover`, which returns a `Result<void>`, makes of the error.
  template <class Function>
  [[nodiscard]] Result or_else(Function&& recover) const {
    static_assert(detail::recovers<Result, Function>, "or_else takes a function that returns the same Result");
    return error_ ? Result(std::invoke(std::forward<Function>(recover), *error_)) : *this;
  }

  /// The error. Where all went well: says so on standard error and ends the program.
  [[nodiscard]] const Error& error() const noexcept {
    if (!error_) detail::no_error();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

namespace detail {
template <class T>
inline constexpr bool is_result<Result<T>> = true;
}  // namespace detail

}  // namespace connectid::inline v0
