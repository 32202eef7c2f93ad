// A second unit of one program: nothing in the headers may be defined twice.
#include <connectid/connectid.hpp>

const char* version_seen_by_another_unit();
const char* version_seen_by_another_unit() { return CONNECTID_VERSION; }
