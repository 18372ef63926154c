#pragma once
/// The handler of a session as that of its connection.

#include <jackalope/handler.hpp>

namespace jackalope {

/// Without a factory: of handlers that log errors to standard error, without payloads.
tortoise::HandlerFactory adapted(HandlerFactory);

/// What the factory makes, or without one, a handler that logs.
Handler* make_one(const HandlerFactory&);

} // namespace jackalope
