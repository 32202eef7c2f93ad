#include "testing/routes/form.hpp"

#include <algorithm>
#include <charconv>

namespace connectid::inline v0::testing::detail {

std::optional<std::string> form_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const std::string_view hex = text.substr(i + 1, 2);
    unsigned char byte = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), byte, 16);
    if (error != std::errc() || end != hex.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += hex.size();
  }
  return decoded;
}

std::string form_encoded(std::string_view text) {
  constexpr std::string_view hexadecimal = "0123456789ABCDEF";
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.append({'%', hexadecimal[byte / 16U], hexadecimal[byte % 16U]});
  }
  return encoded;
}

std::pair<std::string_view, std::string_view> split(std::string_view text, char mark) {
  const std::size_t at = std::min(text.find(mark), text.size());
  return {text.substr(0, at), text.substr(std::min(at + 1, text.size()))};
}

std::optional<Parameters> read_form(std::string_view text) {
  Parameters parameters;
  while (!text.empty()) {
    const auto [pair, rest] = split(text, '&');
    const auto [name, value] = split(pair, '=');
    auto decoded_name = form_decoded(name);
    auto decoded_value = form_decoded(value);
    if (!decoded_name || !decoded_value) return std::nullopt;
    if (!pair.empty()) parameters.emplace(*std::move(decoded_name), *std::move(decoded_value));
    text = rest;
  }
  return parameters;
}

std::string value_of(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

bool has_one_twice(const Parameters& parameters) {
  return std::ranges::adjacent_find(parameters, {}, &Parameters::value_type::first) != parameters.end();
}

std::string field_of(const http::Headers& headers, std::string_view name) {
  const std::string* const value = http::find(headers, name);
  return value == nullptr ? std::string() : *value;
}

}  // namespace connectid::inline v0::testing::detail
