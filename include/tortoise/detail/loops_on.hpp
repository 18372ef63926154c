#pragma once
/// What asio.hpp and the library know of each other: loops on an io_context that the library did not make.

namespace boost::asio {
class io_context;
}

namespace tortoise::io {

class Loops;

/// With a count for the caller. There is one of these only: for the Asio that the library was built with. If the linker
/// misses another one, the program was compiled with headers of another version of Boost.
template <int AsioVersion> Loops* loops_on(boost::asio::io_context&);

} // namespace tortoise::io
