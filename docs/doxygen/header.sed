# Doxygen 1.9.4 takes `namespace connectid::inline v0 {` for a namespace v0 and loses connectid.
s/^namespace connectid::inline v[0-9]*/namespace connectid/
