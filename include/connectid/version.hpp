#pragma once

// The one place where the version is written: CMake reads it from here.
#define CONNECTID_VERSION_MAJOR 0
#define CONNECTID_VERSION_MINOR 1
#define CONNECTID_VERSION_PATCH 0
#define CONNECTID_VERSION "0.1.0"
