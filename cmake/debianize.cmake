# Run by cpack between installing and packing: Debian's changelog and lintian's overrides are added; what Debian
# keeps compressed is.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX})
file(COPY ${CPACK_HEAPRAKE_DEBIAN}/changelog DESTINATION ${root}/share/doc/heaprake)
file(MAKE_DIRECTORY ${root}/share/lintian/overrides)
configure_file(${CPACK_HEAPRAKE_DEBIAN}/overrides ${root}/share/lintian/overrides/heaprake COPYONLY)
file(GLOB pages ${root}/share/man/man*/*)
# -n: neither name nor time, so that the same tree gives the same bytes.
execute_process(COMMAND gzip -9nf ${pages} ${root}/share/doc/heaprake/changelog
                COMMAND_ERROR_IS_FATAL ANY)
