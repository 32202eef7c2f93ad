#pragma once

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <connectid/call_info.hpp>
#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/timestamp.hpp>

#include "call/classify.hpp"

namespace connectid::inline v0::detail {

/// Where a request's field goes.
enum class In { body, query, path };

/// What a member holds. All but `text` are optional; an empty text is a field not given.
enum class Type { text, optional_text, integer, number, boolean, time, object, list };

struct Field;

/// What the reference, or the SDK, says of a field.
struct Rules {
  In in = In::body;
  bool required = false;
  std::size_t longest = 0;                                        ///< of a text, in code points; 0: no limit
  std::int64_t least = std::numeric_limits<std::int64_t>::min();  ///< of an integer
  std::string_view after = {};                                    ///< the field whose time it must be after
  std::string_view one_of = {};                                   ///< the texts it may hold, a space between them
  bool may_be_text = false;                                       ///< a number that the reference shows as a text, too
  std::span<const Field> fields = {};                             ///< of an object, or of a list's objects
};

/// One field of a request or a response: the row that validation, encoding, decoding, docs/endpoints.md, the fake
/// server, the contract test and the fuzzer read.
struct Field {
  std::string_view name;  ///< the API's
  Type type;
  Rules rules;
  void* (*member)(void* object);  ///< where it is in its request or response
  /// The object at an index of it, made where it is the next one; null where it holds none.
  void* (*at)(void* member, std::size_t index);
};

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, std::string>)
    return Type::text;
  else if constexpr (std::is_same_v<T, std::optional<std::string>>)
    return Type::optional_text;
  else if constexpr (std::is_same_v<T, std::optional<std::int64_t>>)
    return Type::integer;
  else if constexpr (std::is_same_v<T, std::optional<double>>)
    return Type::number;
  else if constexpr (std::is_same_v<T, std::optional<bool>>)
    return Type::boolean;
  else if constexpr (std::is_same_v<T, std::optional<Timestamp>>)
    return Type::time;
  else if constexpr (requires(T t) { t.emplace_back(); })
    return Type::list;
  else
    return Type::object;
}

template <class Object, class T>
Object object_of(T Object::*);
template <class Object, class T>
T value_of(T Object::*);

/// The row of a member: `field<&Request::product>("product", {.required = true, .longest = 12})`.
template <auto Member>
constexpr Field field(std::string_view name, Rules rules = {}) {
  using Object = decltype(object_of(Member));
  using T = decltype(value_of(Member));
  constexpr Type type = type_of<T>();
  Field made{name, type, rules, [](void* object) -> void* { return &(static_cast<Object*>(object)->*Member); },
             nullptr};
  if constexpr (type == Type::list) {
    made.at = [](void* member, std::size_t index) -> void* {
      T& list = *static_cast<T*>(member);
      return index < list.size() ? &list[index] : &list.emplace_back();
    };
  }
  if constexpr (type == Type::object) {
    made.at = [](void* member, std::size_t) -> void* {
      T& object = *static_cast<T*>(member);
      return object ? &*object : &object.emplace();
    };
  }
  return made;
}

/// The member of a row, whose type tells what T is.
template <class T>
T& get(const Field& field, void* object) {
  return *static_cast<T*>(field.member(object));
}
template <class T>
const T& get(const Field& field, const void* object) {
  return get<T>(field, const_cast<void*>(object));
}

/// The fields of a type, and how one of it is made.
struct Table {
  std::span<const Field> fields;
  std::any (*make)();
  void* (*object)(std::any& made);
  void (*take)(std::any& made, void* to, CallInfo&& call);  ///< a response and its call, to one of the same type

  template <class T>
  static constexpr Table of(std::span<const Field> fields) {
    return {fields, []() -> std::any { return T(); }, [](std::any& made) -> void* { return std::any_cast<T>(&made); },
            [](std::any& made, void* to, CallInfo&& call) {
              if constexpr (requires(T t) { t.call; }) {
                T& response = *static_cast<T*>(to);
                response = std::move(*std::any_cast<T>(&made));
                response.call = std::move(call);
              }
            }};
  }
};

/// Whose access token an endpoint takes.
enum class Scope { customer, client };

/// What a second request does.
enum class Idempotency {
  none,  ///< the same again: a second purchase
  safe,  ///< nothing, as the first: it only reads
};

/// What a 200 must say to be a success; elsewhere this API reports failures inside one.
struct Confirmation {
  std::string_view field;       ///< must be there
  std::string_view value = {};  ///< must be this, or null; empty: anything
  bool may_be_empty = false;    ///< no body at all, `{}` and `"success": true` say it, too
};

/// An endpoint is data: everything that tells it from the others.
struct Endpoint {
  std::string_view title;   ///< the reference's
  std::string_view method;  ///< `POST`
  std::string_view path;    ///< after the API's URL; `{name}` is the field of that name
  Scope scope = Scope::customer;
  Idempotency idempotency = Idempotency::none;
  std::span<const int> success_statuses = ok_alone;
  Confirmation confirmation;
  Table request;
  Table response;
};

/// Every rule that a request breaks, in the order of its fields. Pure.
[[nodiscard]] CONNECTID_API std::vector<Violation> violations(const Endpoint& endpoint, const void* request);

/// Their messages in one line.
[[nodiscard]] inline std::string sentence(const std::vector<Violation>& violations) {
  std::string all;
  for (const Violation& violation : violations) all.append(all.empty() ? "" : "; ").append(violation.message);
  return all;
}

/// The path and the query of a request, percent-encoded.
[[nodiscard]] std::string target(const Endpoint& endpoint, const void* request);
/// The body of a request: JSON in one pass, as nlohmann/json would write it. Empty where no field goes there.
/// `as_text`: numbers that may be texts are.
[[nodiscard]] std::string body(const Endpoint& endpoint, const void* request, bool as_text = false);

/// The body of a success, read into its fields without a tree. Unknown fields are ignored, null counts as absent, and
/// a field of another type than documented is absent; a number may be a text, and a list of one its only object.
[[nodiscard]] Reading decode(const Endpoint& endpoint, std::string_view body);

/// All of them: each file in a directory of src/endpoints defines the one that it is named after.
[[nodiscard]] CONNECTID_API std::span<const Endpoint* const> all_endpoints() noexcept;

}  // namespace connectid::inline v0::detail
