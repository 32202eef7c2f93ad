# What `cmake --install` leaves. Components: runtime (the shared library), tools (the program), development (the rest).
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/connectid)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS connectid EXPORT connectid_targets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development)
install(DIRECTORY include/connectid DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  PATTERN testing EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)

# find_package(connectid). Who links the static library links what is behind it, too.
get_target_property(library_type connectid TYPE)
set(connectid_is_static OFF)
if(library_type STREQUAL STATIC_LIBRARY)
  set(connectid_is_static ON)
endif()
install(EXPORT connectid_targets NAMESPACE connectid:: FILE connectid-targets.cmake
  DESTINATION ${config_dir} COMPONENT development)
configure_package_config_file(cmake/connectid-config.cmake.in connectid-config.cmake
  INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(connectid-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/connectid-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/connectid-config-version.cmake cmake/Findcctz.cmake
  DESTINATION ${config_dir} COMPONENT development)

# pkg-config. The prefix is told from where the file lies, so that an installed tree can be moved.
# What is behind a static library is linked by its user, whether he says --static or not. Who has the shared one need not
# have the pkg-config file of libcurl: no Requires.private, which is looked for even where it is not used.
if(connectid_is_static)
  set(pc_behind "Requires: libcurl >= 7.88")
  set(pc_libs "-lcctz -lssl -lcrypto -pthread")
else()
  set(pc_behind "Libs.private: -lcurl -lcctz -lssl -lcrypto -pthread")
endif()
file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/connectid.pc.in connectid.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/connectid.pc DESTINATION ${pkgconfig_dir} COMPONENT development)

if(TARGET connectid_testing)
  install(TARGETS connectid_testing EXPORT connectid_testing_targets ARCHIVE COMPONENT development)
  install(EXPORT connectid_testing_targets NAMESPACE connectid:: FILE connectid-testing-targets.cmake
    DESTINATION ${config_dir} COMPONENT development)
  install(DIRECTORY include/connectid/testing DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/connectid COMPONENT development)
  install(FILES cmake/Findhttplib.cmake DESTINATION ${config_dir} COMPONENT development)
  configure_file(cmake/connectid-testing.pc.in connectid-testing.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/connectid-testing.pc DESTINATION ${pkgconfig_dir} COMPONENT development)
endif()
