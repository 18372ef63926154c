# Installs the libraries, the headers and a package file, so that `find_package(tortoise)` gives tortoise::tortoise,
# tortoise::core, tortoise::jackalope and tortoise::testing.
include(CMakePackageConfigHelpers)

set_target_properties(tortoise_core PROPERTIES EXPORT_NAME core)
set_target_properties(tortoise_jackalope PROPERTIES EXPORT_NAME jackalope)
set_target_properties(tortoise_testing PROPERTIES EXPORT_NAME testing)
install(TARGETS tortoise tortoise_core tortoise_io tortoise_store tortoise_client tortoise_jackalope tortoise_broker tortoise_sim tortoise_testing EXPORT tortoise)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tortoise NAMESPACE tortoise:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tortoise FILE tortoise-targets.cmake)
file(WRITE ${PROJECT_BINARY_DIR}/tortoise-config.cmake
  "include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\nfind_dependency(OpenSSL 3.0)\nfind_dependency(SQLite3 3.34)\n"
  "include(\${CMAKE_CURRENT_LIST_DIR}/tortoise-targets.cmake)\n")
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tortoise-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tortoise-config.cmake ${PROJECT_BINARY_DIR}/tortoise-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tortoise)
