#pragma once

/// @file
/// The one place where the version is written: CMake reads it from here. What a change of each part promises:
/// docs/compatibility.md.

/// Major, minor and patch, as numbers.
/// @{
#define CONNECTID_VERSION_MAJOR 0
#define CONNECTID_VERSION_MINOR 1
#define CONNECTID_VERSION_PATCH 0
/// @}
/// The three as text.
#define CONNECTID_VERSION "0.1.0"
