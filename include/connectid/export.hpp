#pragma once

/// @file
/// What a shared library shows.

/// Marks what the shared library shows: all else in it is hidden (see docs/compatibility.md). For declarations in these
/// headers only; it means the same in every build, shared or static.
#define CONNECTID_API __attribute__((visibility("default")))
