#!/usr/bin/env bash
# gnutls.sh: the tests of the wire with Debian 12's libcurl that has GnuTLS, in place of the one with OpenSSL.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/gnutls
library=/usr/lib/$(gcc -print-multiarch)/libcurl-gnutls.so.4

scripts/install-dependencies.sh test
[[ -f $library ]] || { echo "gnutls: the package libcurl3-gnutls is not installed" >&2; exit 1; }
# The headers of the two are the same; only the library is another.
cmake --preset release -B "$build" -DCURL_LIBRARY="$library"
cmake --build "$build" --parallel "$(nproc)" --target fault_tests unit_tests
for tests in fault_tests unit_tests; do
  ldd "$build/tests/$tests" | grep --quiet libcurl-gnutls
  filter='*'
  [[ $tests == fault_tests ]] || filter='*Connection*:*TransportWire*:*Pool*'
  "$build/tests/$tests" --gtest_brief=1 --gtest_filter="$filter"
done
