# `cmake --install`: the command, the library, the headers that a program needs, and what
# find_package(heaprake) and pkg-config read. All paths in these are relative, so that an installed
# tree can be moved, or be installed somewhere else than it was configured for.
include(CMakePackageConfigHelpers)

set(heaprake_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/heaprake)

install(TARGETS heaprake_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS heaprake EXPORT heaprakeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
# gc.h includes stats.def; the other headers are between the library and the command.
install(FILES include/heaprake/gc.h include/heaprake/gc.hpp include/heaprake/stats.def
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/heaprake)

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT heaprakeTargets NAMESPACE heaprake:: DESTINATION ${heaprake_package_dir})
configure_package_config_file(cmake/heaprakeConfig.cmake.in ${CMAKE_BINARY_DIR}/heaprakeConfig.cmake
                              INSTALL_DESTINATION ${heaprake_package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/heaprakeConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/heaprakeConfig.cmake
              ${CMAKE_BINARY_DIR}/heaprakeConfigVersion.cmake
        DESTINATION ${heaprake_package_dir})

file(RELATIVE_PATH heaprake_pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH heaprake_pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH heaprake_pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/heaprake.pc.in ${CMAKE_BINARY_DIR}/heaprake.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/heaprake.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
