#pragma once

#include <string>

#include "output/page.hpp"

namespace connectid::cli {

/// The page for a terminal of 80 columns.
[[nodiscard]] std::string help(const Page& page);

}  // namespace connectid::cli
