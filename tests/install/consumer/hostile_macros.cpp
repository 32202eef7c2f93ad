// A program whose platform defines words that others use as names: Windows, X11, Arduino, old BSD and POSIX headers.
// The standard headers come first, as they do there. It compiles or it does not; to run it says only that it links.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#define min(a, b) a hostile macro b
#define max(a, b) a hostile macro b
#define major(a) a hostile macro
#define minor(a) a hostile macro
#define check(a) a hostile macro
#define verify(a) a hostile macro
#define require(a) a hostile macro
#define GetObject hostile macro
#define SendMessage hostile macro
#define GetCurrentTime hostile macro
#define ERROR hostile macro
#define DELETE hostile macro
#define IN hostile macro
#define OUT hostile macro
#define OPTIONAL hostile macro
#define CALLBACK hostile macro
#define TRUE hostile macro
#define FALSE hostile macro
#define BOOL hostile macro
#define STRICT hostile macro
#define small hostile macro
#define far hostile macro
#define near hostile macro
#define interface hostile macro
#define Bool hostile macro
#define Status hostile macro
#define Success hostile macro
#define None hostile macro
#define Always hostile macro
#define Yield hostile macro
#define unix hostile macro
#define linux hostile macro
#define I hostile macro
#define B0 hostile macro
#define F hostile macro
#define PI hostile macro
#define round hostile macro
#define sun hostile macro
#define debug hostile macro

#include <connectid/connectid.hpp>
#ifdef WITH_TESTING
#include <connectid/testing/certificate.hpp>
#include <connectid/testing/fake_server.hpp>
#include <connectid/testing/fault_gate.hpp>
#include <connectid/testing/scripted_transport.hpp>
#endif

int main() { return connectid::validate({}).empty() ? 1 : 0; }
