# `cpack`: a Debian package. What it depends on, dpkg-shlibdeps finds out.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME heaprake)
set(CPACK_PACKAGE_CONTACT "The heaprake developers <heaprake@localhost.localdomain>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "garbage collector and leak hunter for C and C++ programs")
set(CPACK_PACKAGE_DESCRIPTION
    "A malloc that finds the memory which a program can no longer reach, and frees
it while the program runs, or names every lost structure. Programs need not be
rebuilt; those that are may use an interface in the shape of Python's gc module.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
