# A layer is a directory under src/ and a static library. Its private headers are included as "LAYER/header.hpp"; they can
# be found only by the layers that name it in USES, because each layer has an include root of its own: a folder in the build
# tree with one link in it. What a layer stands ON it knows by public headers only.

add_library(tortoise_flags INTERFACE)
target_compile_options(tortoise_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-field-initializers -Wno-missing-designated-field-initializers>
  $<$<BOOL:${TORTOISE_WERROR}>:-Werror>)

function(tortoise_layer name)
  cmake_parse_arguments(ARG "" "" "USES;ON;LINKS" ${ARGN})
  set(root ${PROJECT_BINARY_DIR}/include-roots/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${name} ${root}/${name} SYMBOLIC)
  add_library(${name}_internals INTERFACE)
  target_include_directories(${name}_internals INTERFACE ${root})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(tortoise_${name} STATIC ${sources})
  target_include_directories(tortoise_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(tortoise_${name} PUBLIC cxx_std_20)
  target_link_libraries(tortoise_${name} PRIVATE
    $<BUILD_INTERFACE:tortoise_flags> $<BUILD_INTERFACE:${name}_internals>)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(tortoise_${name} PUBLIC tortoise_${used} PRIVATE $<BUILD_INTERFACE:${used}_internals>)
  endforeach()
  foreach(below IN LISTS ARG_ON)
    target_link_libraries(tortoise_${name} PUBLIC tortoise_${below})
  endforeach()
  target_link_libraries(tortoise_${name} PRIVATE ${ARG_LINKS})
endfunction()
