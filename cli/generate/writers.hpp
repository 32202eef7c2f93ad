#pragma once

#include <string>

#include "output/page.hpp"

namespace connectid::cli {

// What is installed beside the program. Made of nothing but the page and the version, so that the same source always
// gives the same files.

[[nodiscard]] std::string bash_completion(const Page& program);
[[nodiscard]] std::string zsh_completion(const Page& program);
/// `connectid start` has the page connectid-start.
[[nodiscard]] std::string man_page_name(const Page& page);
[[nodiscard]] std::string man_page(const Page& page);

}  // namespace connectid::cli
