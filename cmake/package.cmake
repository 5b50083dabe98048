# `cpack`: a Debian package. What it depends on, dpkg-shlibdeps finds out. The library lies where the build was
# configured to install it: for Debian's multiarch folder configure with -DCMAKE_INSTALL_PREFIX=/usr, as
# scripts/package does.
set(HEAPRAKE_MAINTAINER "The heaprake developers <developers@heaprake.example>" CACHE STRING
    "Who answers for the Debian package: Name <mail@host>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME heaprake)
set(CPACK_PACKAGE_CONTACT "${HEAPRAKE_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "garbage collector and leak hunter for C and C++ programs")
set(CPACK_PACKAGE_DESCRIPTION
    "A malloc that finds the memory which a program can no longer reach, and frees
it while the program runs, or names every lost structure. Programs need not
be rebuilt; those that are may use an interface in the shape of Python's gc.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/triggers)

# What Debian wants of a package, and an installation from source does not need.
string(TIMESTAMP heaprake_changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(packaging/debian/changelog.in ${CMAKE_BINARY_DIR}/debian/changelog @ONLY)
configure_file(packaging/debian/overrides ${CMAKE_BINARY_DIR}/debian/overrides COPYONLY)
set(CPACK_HEAPRAKE_DEBIAN ${CMAKE_BINARY_DIR}/debian)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debianize.cmake)
include(CPack)
